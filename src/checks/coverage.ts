import { uncoveredSlots, slotsText } from '../model/shards.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import { countSlots, formatSlots } from '../model/slots.ts';
import { isUnformed } from '../model/unformed.ts';
import type { Rule } from './rule.ts';
import { isAllAccountedFor, replacement } from './wayBack.ts';

/** Slots that no answering or listed master serves: keys in them can be neither read nor written. */
export const coverage: Rule = (snapshot) => {
  const slots = uncoveredSlots(snapshot);
  if (slots.length === 0 || snapshot.nodes.length === 0 || isUnformed(snapshot)) return [];
  return [
    {
      rule: 'coverage',
      severity: 'error',
      message: `${slotsText(slots)} ${countSlots(slots) === 1 ? 'is' : 'are'} not covered by any master.`,
      evidence: [`Uncovered: ${formatSlots(slots)}`],
      remedy: remedyFor(snapshot),
      nodeIds: [],
      slots,
    },
  ];
};

function remedyFor(snapshot: ClusterSnapshot): string {
  const starting = replacement(snapshot, undefined);
  if (starting !== undefined) return starting;
  return isAllAccountedFor(snapshot)
    ? 'Start the server that owned them again. If it is lost for good, “Fix Uncovered Slots…” assigns them to other masters.'
    : 'Restore the servers that the other findings name: they may hold these slots.';
}
