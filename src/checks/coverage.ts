import { uncoveredSlots, slotsText } from '../model/shards.ts';
import { countSlots, formatSlots } from '../model/slots.ts';
import type { Rule } from './rule.ts';

/** Slots that no answering or listed master serves: keys in them can be neither read nor written. */
export const coverage: Rule = (snapshot) => {
  const slots = uncoveredSlots(snapshot);
  if (slots.length === 0 || snapshot.nodes.length === 0) return [];
  return [
    {
      rule: 'coverage',
      severity: 'error',
      message: `${slotsText(slots)} ${countSlots(slots) === 1 ? 'is' : 'are'} not covered by any master.`,
      evidence: [`Uncovered: ${formatSlots(slots)}`],
      remedy:
        'Bring back the node that served them. Once it is sure that it is lost, “Fix Uncovered Slots…” assigns them to other masters.',
      nodeIds: [],
      slots,
    },
  ];
};
