import { failedSlots, slotsText, uncoveredSlots, unverifiedSlots } from '../model/shards.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import { countSlots, slotCount, unionSlots } from '../model/slots.ts';
import { isUnread } from '../model/unread.ts';

/** How many slots are served, as far as is known: a failed master serves none of its slots. */
export function coveredText(snapshot: ClusterSnapshot): string {
  if (isUnread(snapshot)) return 'Hash slots covered: unknown';
  const missing = unionSlots(uncoveredSlots(snapshot), failedSlots(snapshot));
  const unverified = unverifiedSlots(snapshot);
  const hearsay = unverified.length === 0 ? '' : `, ${slotsText(unverified)} not verified`;
  const number = (count: number): string => count.toLocaleString('en-US');
  return `Hash slots covered: ${number(slotCount - countSlots(missing))} of ${number(slotCount)}${hearsay}`;
}
