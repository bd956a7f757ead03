import { UserError } from '../model/errors.ts';
import type { Plan, Report, Step } from '../model/plan.ts';
import { mastersOf, nodeName, slotsText } from '../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../model/snapshot.ts';
import { countSlots, formatSlots, intersectSlots, subtractSlots, type SlotSet } from '../model/slots.ts';
import type { moveSlots } from '../redis/moveSlots/pipelinedMigrate.ts';
import type { ClusterDialer } from '../redis/nodeConnection.ts';
import { chooseSlots, type SourceShare } from './reshard/chooseSlots.ts';
import { refuseUnlessWhole } from './reshard/refusals.ts';

export interface ReshardRequest {
  /** Node ids of masters, or all that own slots but the target. */
  readonly from: 'all' | readonly string[];
  /** The node id of the master that receives the slots. */
  readonly to: string;
  /** How many, taken from the sources in proportion, or which. */
  readonly slots: number | SlotSet;
}

/**
 * Plans a reshard. Slots that the target owns already are left out and slots that an interrupted reshard to the same
 * target left open come first, so that the same request said again goes on. Throws UserError where it must not begin.
 */
export function planReshard(snapshot: ClusterSnapshot, request: ReshardRequest): Plan {
  const target = findMaster(snapshot, request.to, 'receive slots');
  const sources = findSources(snapshot, request, target);
  refuseUnlessWhole(snapshot, sources, target);
  const shares = chooseSlots(snapshot, sources, target, request.slots);
  const total = countMoving(shares);
  return {
    title: `Reshard ${total.toLocaleString('en-US')} ${total === 1 ? 'slot' : 'slots'} to ${nodeName(target)}`,
    ref: snapshot.ref,
    operation: 'reshard',
    request,
    steps: shares.map((share) => stepFor(share, target)),
    warnings: warningsFor(request.slots, shares, target),
    losses: [],
  };
}

function findSources(
  snapshot: ClusterSnapshot,
  { from }: ReshardRequest,
  target: RedisNode,
): readonly RedisNode[] {
  if (from === 'all') {
    return mastersOf(snapshot).filter((node) => node.id !== target.id && node.slots.length > 0);
  }
  const ids = new Set(from);
  if (ids.size === 0) throw new UserError('invalid-input', 'Name at least one master to take slots from.');
  if (ids.has(target.id)) {
    throw new UserError(
      'invalid-input',
      `${nodeName(target)} cannot give slots to itself: choose another node to take slots from, or another target.`,
    );
  }
  return [...ids].map((id) => findMaster(snapshot, id, 'give slots'));
}

function findMaster(snapshot: ClusterSnapshot, id: string, purpose: string): RedisNode {
  const node = snapshot.nodes.find((candidate) => candidate.id === id);
  if (node === undefined) throw new UserError('not-found', `The cluster has no node with the id "${id}".`);
  if (node.role === 'master') return node;
  const master = snapshot.nodes.find((candidate) => candidate.id === node.masterId);
  const advice = master === undefined ? '' : ` Its master is ${nodeName(master)} (${master.id}).`;
  throw new UserError(
    'invalid-input',
    `${nodeName(node)} is a replica, and only a master can ${purpose}.${advice}`,
  );
}

function stepFor({ source, slots }: SourceShare, target: RedisNode): Step {
  return {
    kind: 'moveSlots',
    from: source.id,
    to: target.id,
    slots,
    text: `Move ${slotsText(slots)} (${formatSlots(slots)}) from ${nodeName(source)} to ${nodeName(target)}`,
  };
}

function warningsFor(
  wanted: number | SlotSet,
  shares: readonly SourceShare[],
  target: RedisNode,
): readonly string[] {
  const emptied = shares
    .filter(({ source, slots }) => subtractSlots(source.slots, slots).length === 0)
    .map(
      ({ source }) =>
        `${nodeName(source)} will own no slots afterwards. If its cluster-allow-replica-migration is on, it becomes a replica of ${nodeName(target)}.`,
    );
  const there = typeof wanted === 'number' ? 0 : countSlots(wanted) - countMoving(shares);
  const owned = `${nodeName(target)} owns ${there.toLocaleString('en-US')} of these slots already; they are left out.`;
  return there > 0 ? [owned, ...emptied] : emptied;
}

/** Slots that still have to move; those of a share that only have to be closed are not counted. */
function countMoving(shares: readonly SourceShare[]): number {
  return shares.reduce((sum, { source, slots }) => sum + countSlots(intersectSlots(slots, source.slots)), 0);
}

export interface ReshardPorts {
  readonly moveSlots: typeof moveSlots;
  readonly dialer: ClusterDialer;
  /** The snapshot that the plan was made of. */
  readonly snapshot: ClusterSnapshot;
  readonly report: Report;
  readonly signal: AbortSignal;
}

export interface Resharded {
  readonly movedSlots: number;
  readonly movedKeys: number;
  readonly seconds: number;
  readonly method: 'migrate';
  /** The user stopped it; what was moved until then stays moved, and no slot is open. */
  readonly cancelled: boolean;
}

/** Runs the plan, one source after the other. Throws UserError that says what was moved and how to go on. */
export async function runReshard(plan: Plan, ports: ReshardPorts): Promise<Resharded> {
  const steps = plan.steps.filter((step) => step.kind === 'moveSlots');
  const total = steps.reduce((sum, { slots }) => sum + countSlots(slots), 0);
  const start = performance.now();
  let movedSlots = 0;
  let movedKeys = 0;
  let cancelled = false;
  for (const [index, step] of steps.entries()) {
    const before = { movedSlots, movedKeys };
    const show = (slots: number, keys: number): void => {
      ports.report({
        text: `${step.text} (${(before.movedKeys + keys).toLocaleString('en-US')} keys moved)`,
        done: before.movedSlots + slots,
        total,
        unit: 'slots',
      });
    };
    show(0, 0);
    const result = await runStep(step, ports, show).catch((error: unknown) => {
      throw withUnbegun(error, steps.slice(index + 1), before.movedSlots);
    });
    movedSlots += result.movedSlots;
    movedKeys += result.movedKeys;
    ({ cancelled } = result);
    if (cancelled) break;
  }
  const seconds = (performance.now() - start) / 1000;
  return {
    movedSlots,
    movedKeys,
    seconds,
    method: 'migrate',
    cancelled,
  };
}

type MoveStep = Extract<Step, { readonly kind: 'moveSlots' }>;

async function runStep(
  step: MoveStep,
  { moveSlots, dialer, snapshot, signal }: ReshardPorts,
  onProgress: (slots: number, keys: number) => void,
): ReturnType<typeof moveSlots> {
  const nameOf = (id: string): string => {
    const node = snapshot.nodes.find((candidate) => candidate.id === id);
    return node === undefined ? id : nodeName(node);
  };
  const source = snapshot.nodes.find(({ id }) => id === step.from);
  const target = snapshot.nodes.find(({ id }) => id === step.to);
  // The source connects to the target by itself, so what counts is the address by which the source knows it.
  const seen = source?.view?.others.find(({ id }) => id === step.to);
  const address = seen === undefined || seen.host === '' ? target : seen;
  if (address === undefined)
    throw new UserError('not-found', `The cluster has no node with the id "${step.to}".`);
  return await moveSlots({
    dialer,
    from: step.from,
    to: step.to,
    slots: step.slots,
    otherMasters: mastersOf(snapshot)
      .map(({ id }) => id)
      .filter((id) => id !== step.from && id !== step.to),
    targetAddress: { host: address.host, port: address.port },
    signal,
    onProgress,
    nameOf,
  });
}

function withUnbegun(error: unknown, unbegun: readonly MoveStep[], movedBefore: number): unknown {
  if (!(error instanceof UserError) || (unbegun.length === 0 && movedBefore === 0)) return error;
  const before =
    movedBefore === 0
      ? ''
      : ` ${movedBefore.toLocaleString('en-US')} slots of other nodes had been moved before.`;
  const after = unbegun.length === 0 ? '' : ` Not begun: ${unbegun.map(({ text }) => text).join('; ')}.`;
  return new UserError(error.reason, `${error.message}${before}${after}`, { cause: error });
}
