import { quantity } from '../../model/quantity.ts';
import { UserError } from '../../model/errors.ts';
import { isWindowOver, timeText } from '../../model/moves.ts';
import { mastersOf, nodeName, slotsText } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import {
  countSlots,
  formatSlots,
  intersectSlots,
  lowestSlots,
  slotsFrom,
  subtractSlots,
  unionSlots,
  type SlotSet,
} from '../../model/slots.ts';
import { moveLimits } from '../slots/moveOptions.ts';
import { refuseImpostor } from '../refusals/refuseImpostor.ts';
import { crossedBy } from '../slots/marks.ts';
import { refuseDeadMasters } from '../refusals/moving.ts';
import type { StepPorts } from './ports.ts';
import type { Shell } from './shell.ts';
import { nodeId, nodeIdOrNone, objectName, oneOf, optional, slots } from './fields.ts';
import { losesNothing, never, type StepData, type StepDefinition } from './step.ts';

const fields = {
  from: nodeId,
  to: nodeIdOrNone,
  slots,
  pod: optional(objectName),
  pace: optional(oneOf('gentle', 'fast')),
  limits: optional(moveLimits),
};

type MoveSlots = StepData<'moveSlots', typeof fields>;

/** Moves hash slots with their keys; safe to run twice, since slots that the target owns are only closed. */
export const moveSlots: StepDefinition<'moveSlots', typeof fields> = {
  kind: 'moveSlots',
  description: 'Moves hash slots with their keys between two masters.',
  fields,
  example: {
    from: '0000000000000000000000000000000000000000',
    to: '1111111111111111111111111111111111111111',
    slots: '0-99,200',
    pace: 'gentle',
    limits: { latencyMs: 20, until: '2030-01-31T06:00:00Z' },
  },
  isSaved: true,
  mayBeUndone: true,
  needsAgents: never,
  move: ({ slots, from, to, pod }) => ({ slots, ends: [from, pod ?? to] }),
  goesWith: (one, other) => one.from !== other.from || (one.pod ?? one.to) !== (other.pod ?? other.to),
  shownBy: 'snapshot',
  text: ({ from, to, pod, slots }, nameOf) =>
    `Move ${slotsText(slots)} (${formatSlots(slots)}) from ${nameOf(from)} to ${pod ?? nameOf(to)}`,
  ...losesNothing,
  command: moveCommands,
  withNodes: (step, nodeIn) => (step.pod === undefined ? step : { ...step, to: nodeIn(step.pod) }),
  isDone: ({ from, to, slots }, { nodes }) => {
    const source = nodes.find(({ id }) => id === from);
    const target = nodes.find(({ id }) => id === to);
    if (target?.role !== 'master' || subtractSlots(slots, target.slots).length > 0) return false;
    const left = unionSlots(source?.slots ?? [], openSlots(source), openSlots(target));
    return intersectSlots(left, slots).length === 0;
  },
  check: (step, snapshot) => {
    const source = masterIn(snapshot, step.from, 'gives');
    const target = masterIn(snapshot, step.to, 'gets');
    refuseDeadMasters(snapshot, [source, target]);
    refuseImpostor(snapshot, target.id);
    const elsewhere = subtractSlots(step.slots, unionSlots(source.slots, target.slots));
    if (elsewhere.length > 0) throw overtaken(snapshot, elsewhere);
    const third = mastersOf(snapshot).filter(
      (node) => node !== source && node !== target && intersectSlots(node.slots, step.slots).length > 0,
    );
    if (third[0] !== undefined) {
      const slots = formatSlots(intersectSlots(third[0].slots, step.slots));
      throw refusal(`${nodeName(third[0])} also claims slots ${slots}.`);
    }
    const crossed = crossedBy(step, snapshot);
    if (crossed !== undefined) throw refusal(crossed);
    refuseLate(step);
  },
  act: async (step, ports) => {
    const total = countSlots(step.slots);
    const show: Show = (slots, keys, { paused, secondsLeft } = {}) => {
      const left = secondsLeft === undefined ? '' : `, ${Math.ceil(secondsLeft)} s left`;
      const text = `${step.text} (${quantity(keys, 'key')} moved${left})`;
      const pause = paused === undefined ? {} : { paused };
      ports.report({ text, done: slots, total, unit: 'slots', ...pause });
    };
    show(0, 0);
    let moved = { slots: 0, keys: 0 };
    const { movedSlots, movedKeys, method, cancelled, left, longestWaitMs } = await ports.redis
      .moveSlots(
        requestFor(step, ports, (...shown) => {
          moved = { slots: shown[2].movedSlots, keys: shown[1] };
          show(...shown);
        }),
      )
      .catch((error: unknown) => {
        ports.tally(moved);
        throw error;
      });
    ports.tally({ slots: movedSlots, keys: movedKeys, method, longestWaitMs });
    if (left !== undefined) ports.leave(left);
    const { until } = step.limits ?? {};
    if (cancelled && until !== undefined && !ports.signal.aborted) {
      ports.endRun(`at the end of the maintenance window (${timeText(until)})`);
    }
  },
};

/** redis-cli takes the lowest slots of a source and cannot be told which. */
function moveCommands({ from, to, slots }: MoveSlots, shell: Shell): readonly string[] {
  const { owned, snapshot } = shell;
  const source = owned.get(from) ?? [];
  const number = countSlots(slots);
  const isLowest = formatSlots(lowestSlots(source, number)) === formatSlots(slots);
  owned.set(from, subtractSlots(source, slots));
  owned.set(to, unionSlots(owned.get(to) ?? [], slots));
  const { host = '127.0.0.1', port = 6379 } = snapshot.nodes.find(({ id }) => id === from) ?? {};
  const command = shell.redis(
    from,
    ...['--cluster', 'reshard', `${host}:${port}`, '--cluster-from', from],
    ...['--cluster-to', to, '--cluster-slots', String(number), '--cluster-yes'],
  );
  if (isLowest) return [command];
  return [
    '# redis-cli would move the lowest slots of this source instead, so decide yourself:',
    `# ${command}`,
  ];
}

type Show = (
  slots: number,
  keys: number,
  progress?: { readonly paused?: string; readonly secondsLeft?: number },
) => void;

function requestFor(
  { from, to, slots, pace = 'gentle', limits }: MoveSlots,
  { snapshot, dialer, moves, signal }: StepPorts,
  onProgress: Parameters<StepPorts['redis']['moveSlots']>[0]['onProgress'] & object,
): Parameters<StepPorts['redis']['moveSlots']>[0] {
  const nodeOf = (id: string): RedisNode | undefined => snapshot.nodes.find((node) => node.id === id);
  // The source connects to the target by itself, so what counts is the address by which the source knows it.
  const seen = nodeOf(from)?.view?.others.find(({ id }) => id === to);
  const address = seen === undefined || seen.host === '' ? masterIn(snapshot, to, 'gets') : seen;
  return {
    dialer,
    moves,
    from,
    to,
    slots,
    signal,
    onProgress,
    pace,
    ...(limits === undefined ? {} : { limits }),
    otherMasters: mastersOf(snapshot)
      .map(({ id }) => id)
      .filter((id) => id !== from && id !== to),
    targetAddress: { host: address.host, port: address.port },
    nameOf: (id) => {
      const node = nodeOf(id);
      return node === undefined ? id : nodeName(node);
    },
  };
}

function openSlots(node: RedisNode | undefined): SlotSet {
  const { migrating = [], importing = [] } = node?.view?.self ?? {};
  return slotsFrom([...migrating, ...importing].map(({ slot }) => slot));
}

function masterIn(snapshot: ClusterSnapshot, id: string, does: 'gives' | 'gets'): RedisNode {
  const node = snapshot.nodes.find((candidate) => candidate.id === id);
  if (node === undefined) {
    throw new UserError(
      'not-found',
      `${snapshot.name} no longer has node ${id}, which ${does} slots. Create the plan again.`,
    );
  }
  if (node.role !== 'master') {
    throw refusal(`${nodeName(node)}, which ${does} slots, is now a replica. Create the plan again.`);
  }
  if (node.view === undefined) {
    throw refusal(
      `${nodeName(node)}, which ${does} slots, does not answer. Wait for it, or for its replica.`,
    );
  }
  return node;
}

/** A plan may be run long after it was made. */
function refuseLate({ limits = {} }: MoveSlots): void {
  if (limits.until === undefined || !isWindowOver(limits)) return;
  throw refusal(
    `The maintenance window ended on ${timeText(limits.until)}. Create the plan again with a later end or without one.`,
  );
}

/** Such as after a failover between the plan and the step. */
function overtaken(snapshot: ClusterSnapshot, slots: SlotSet): UserError {
  const owner = mastersOf(snapshot).find((node) => intersectSlots(node.slots, slots).length > 0);
  const whose =
    owner === undefined
      ? 'no master serves them'
      : `${nodeName(owner)} owns ${formatSlots(intersectSlots(owner.slots, slots))}`;
  return refusal(
    `Slots ${formatSlots(slots)} are no longer where the plan found them: ${whose}. Create the plan again.`,
  );
}

function refusal(message: string): UserError {
  return new UserError('unsafe', `${message} No slot of this step was moved.`);
}
