import { bytesText } from '../../model/bytes.ts';
import { quantity } from '../../model/quantity.ts';
import { keyText } from '../../model/serverText.ts';
import { formatSlots, slotsFrom, type SlotSet } from '../../model/slots.ts';
import type { BigKey, LargeKey } from './bigKeys.ts';

/** What a person is told about keys that stay, and their slots with them. */
export function describeBigKeys(keys: readonly BigKey[], nodeTimeoutMs: number): string {
  const [biggest, ...others] = [...keys].sort((one, other) => other.worstMs - one.worstMs);
  if (biggest === undefined) return '';
  const more = others.length > 0 ? ` and ${quantity(others.length, 'more key')}` : '';
  const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;
  const what = `The key ${keyText(biggest.key)} in slot ${biggest.slot} (about ${bytesText(biggest.bytes)}, ${quantity(biggest.elements, 'element')})${more}`;
  return `${what} would block the source and the target for up to ${seconds(biggest.worstMs)} while moving. That is more than half of cluster-node-timeout (${seconds(nodeTimeoutMs)}), so the other nodes might fail over.`;
}

/** What to do about keys that stay. */
export function adviceOn(keys: readonly BigKey[]): string {
  const longest = Math.max(...keys.map(({ worstMs }) => worstMs));
  const enough = Math.ceil((2 * longest) / 1000) * 1000 + 1000;
  const one = keys.length === 1;
  return `Set cluster-node-timeout to ${enough} on all nodes with “Set Configuration…” while you move ${one ? 'it' : 'them'}, or split or delete the ${one ? 'key' : 'keys'}. Then run it again.`;
}

/** Such as "5,7-9". */
export function slotsOf(keys: readonly LargeKey[]): SlotSet {
  return slotsFrom(keys.map(({ slot }) => slot));
}

export function slotListOf(keys: readonly LargeKey[]): string {
  const slots = [...new Set(keys.map(({ slot }) => slot))];
  return `${slots.length === 1 ? 'Slot' : 'Slots'} ${formatSlots(slotsFrom(slots))}`;
}
