import type { Finding } from '../../model/finding.ts';
import { nodeName, slotsText } from '../../model/shards.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { formatSlots, intersectSlots, openSlotsIn, subtractSlots, type SlotSet } from '../../model/slots.ts';
import type { ClusterDialer } from '../../redis/nodeConnection.ts';
import { ask, strayedOn } from './openFacts.ts';
import { answeringMasters, type Master } from './slotCase.ts';

/**
 * Masters that hold keys in slots which they neither own nor have open: no client reaches these keys, and no reading of a
 * cluster shows them. Asks the servers; those that do not answer have findings of their own. What it finds is looked for
 * again on another reading, since somebody may just be moving slots.
 */
export async function findStrays(
  read: () => Promise<ClusterSnapshot>,
  dialer: ClusterDialer,
): Promise<readonly Finding[]> {
  const first = await straysIn(await read(), dialer);
  if (first.size === 0) return [];
  const second = await straysIn(await read(), dialer);
  const before = new Map([...first].map(([{ id }, slots]) => [id, slots]));
  return [...second].flatMap(([node, slots]) =>
    findingOf(node, intersectSlots(slots, before.get(node.id) ?? [])),
  );
}

async function straysIn(
  snapshot: ClusterSnapshot,
  dialer: ClusterDialer,
): Promise<ReadonlyMap<Master, SlotSet>> {
  const found = await Promise.all(
    answeringMasters(snapshot).map(async (node) => {
      const strayed = await ask(dialer, node.id, (line) => strayedOn(line, node));
      return [node, subtractSlots(strayed ?? [], openSlotsIn(node.view.self))] as const;
    }),
  );
  return new Map(found.filter(([, slots]) => slots.length > 0));
}

function findingOf(node: Master, slots: SlotSet): readonly Finding[] {
  if (slots.length === 0) return [];
  return [
    {
      rule: 'stray-keys',
      severity: 'warning',
      message: `${nodeName(node)} holds keys in ${slotsText(slots)} that it does not own: clients cannot reach them there.`,
      evidence: [`CLUSTER COUNTKEYSINSLOT is not 0 on it for ${formatSlots(slots)}.`],
      remedy:
        'If no reshard is running, “Heal Cluster…” moves them to the slot owners. Where an owner has another value of a key, it leaves the slot untouched and says what to decide.',
      nodeIds: [node.id],
      slots,
    },
  ];
}
