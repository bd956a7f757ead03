import {
  formatSlots,
  hasSlot,
  intersectSlots,
  eachSlot,
  openSlotsIn,
  subtractSlots,
} from '../../model/slots.ts';
import { quantity } from '../../model/quantity.ts';
import { slotsText } from '../../model/shards.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { countKeys } from '../repair/openFacts.ts';
import { answeringMasters, judgeSlot, type Master } from '../repair/slotCase.ts';
import { answers, memberOf, nameOf, refusal } from '../servers/nodes.ts';
import { withConnection } from '../servers/withConnection.ts';
import { nodeId, slots } from './fields.ts';
import { losesNothing, never, type StepData, type StepDefinition } from './step.ts';

const fields = { from: nodeId, to: nodeId, slots };

type BringKeys = StepData<'bringKeys', typeof fields>;

/** Brings strayed keys to where their slots are served, and closes the slots where the keys had strayed to. */
export const bringKeys: StepDefinition<'bringKeys', typeof fields> = {
  kind: 'bringKeys',
  description:
    'Brings keys that strayed to a master to where their slots are served, and closes the slots on that master.',
  fields,
  example: {
    from: '0000000000000000000000000000000000000000',
    to: '1111111111111111111111111111111111111111',
    slots: '0-99,200',
  },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'snapshot',
  text: ({ from, to, slots }, nameOf) =>
    `Move the keys that ${nameOf(from)} holds in ${slotsText(slots)} (${formatSlots(slots)}) to ${nameOf(to)}, and close the slots on ${nameOf(from)}`,
  ...losesNothing,
  command: ({ from, to }) => [
    '# redis-cli has no command that moves stray keys to the slot owner, so do it by hand: open each slot',
    `# on ${from} with CLUSTER SETSLOT <slot> IMPORTING <owner>, MIGRATE each key of CLUSTER GETKEYSINSLOT without`,
    `# REPLACE to ${to}, and only when CLUSTER COUNTKEYSINSLOT is 0 close it with CLUSTER SETSLOT <slot> STABLE.`,
  ],
  isDone: async ({ from, slots }, snapshot, ports) => {
    const source = snapshot.nodes.find(({ id }) => id === from);
    if (!answers(source) || intersectSlots(openSlotsIn(source.view.self), slots).length > 0) return false;
    const foreign = [...eachSlot(subtractSlots(slots, source.slots))];
    const counts = await withConnection(ports, from, (line) => countKeys(line, foreign));
    return counts.size === 0;
  },
  check: (step, snapshot) => {
    ownerFor(step, snapshot);
  },
  act: async (step, ports) => {
    const { snapshot, redis, dialer, signal, tally, report } = ports;
    const { from, to, slots } = step;
    const seen = memberOf(snapshot, from).view?.others.find(({ id }) => id === to);
    const { host, port } = seen === undefined || seen.host === '' ? memberOf(snapshot, to) : seen;
    const show = (keys: number): void => {
      report({ text: `${step.text} (${quantity(keys, 'key')} brought)` });
    };
    show(0);
    const { keys } = await redis.bringKeys({
      dialer,
      from,
      to,
      slots,
      signal,
      owner: ownerFor(step, snapshot).id,
      targetAddress: { host, port },
      nameOf: (id) => nameOf(snapshot, id),
      onKeys: show,
    });
    tally({ keys });
  },
};

/** The owner of all these slots. Throws a UserError where the keys do not belong any more where the plan has them brought. */
function ownerFor({ from, to, slots }: BringKeys, snapshot: ClusterSnapshot): Master {
  const source = answeringMasters(snapshot).find(({ id }) => id === from);
  if (source === undefined) {
    throw refusal('unsafe', `${nameOf(snapshot, from)} does not answer as a master. Heal again.`);
  }
  const owners = new Set<Master>();
  for (const slot of eachSlot(slots)) {
    const place = judgeSlot(snapshot, slot, () => false);
    if (!('destination' in place) || place.destination.id !== to || hasSlot(source.slots, slot)) {
      throw refusal(
        'unsafe',
        `Slot ${slot} no longer belongs to ${nameOf(snapshot, to)}, so its keys on ${source.id.slice(0, 8)} were not moved there. Heal again.`,
      );
    }
    owners.add(place.owner);
  }
  const [owner] = owners;
  if (owner !== undefined && owners.size === 1) return owner;
  throw refusal('unsafe', `Slots ${formatSlots(slots)} now have several owners. Heal again.`);
}
