import { clusterKey } from '../model/clusterRef.ts';
import { UserError } from '../model/errors.ts';
import { timeText } from '../model/moves.ts';
import type { Plan } from './plans/plan.ts';
import { quantity } from '../model/quantity.ts';
import type { ClusterSnapshot, RedisNode } from '../model/snapshot.ts';
import { countSlots, intersectSlots, openSlotsIn, unionSlots, type SlotSet } from '../model/slots.ts';
import type { PastRun } from './run/journal.ts';
import { readWrittenPlan } from './plans/planFile.ts';
import { planReshard, type ReshardRequest } from './reshard.ts';

/** A run whose plan could be read. */
interface PlannedRun extends Omit<PastRun, 'plan'> {
  readonly plan: Plan;
}

/** Those whose steps say all that it takes to run them. */
export function plannedRuns(runs: readonly PastRun[]): readonly PlannedRun[] {
  return runs.flatMap((run) => {
    const plan = readWrittenPlan(run.plan);
    return plan === undefined ? [] : [{ ...run, plan }];
  });
}

/** What a reshard by number that stopped has left to move. */
export interface Remainder {
  readonly journalId: string;
  readonly stoppedAt: number;
  /** The masters that own what is left. */
  readonly from: readonly string[];
  readonly slots: SlotSet;
}

/** For how long the same request means the reshard that stopped; milliseconds. */
const rememberedMs = 24 * 3600 * 1000;
/** A window that was silent for so long does not run its operation any more; milliseconds. */
const silentMs = 30_000;
/** Ends after which a run has slots left. */
const unfinished: ReadonlySet<string> = new Set(['cancelled', 'closed', 'partial', 'failed']);

/**
 * What the latest run of this very request has left, where that stopped before its end, so that the same request
 * moves as many slots as it says altogether. Undefined where a later run has moved slots of this cluster otherwise.
 */
export function remainderOf(
  runs: readonly PlannedRun[],
  snapshot: ClusterSnapshot,
  request: ReshardRequest,
  now: number,
): Remainder | undefined {
  if (typeof request.slots !== 'number') return undefined;
  const here = runs.filter(
    ({ plan }) => clusterKey(plan.ref) === clusterKey(snapshot.ref) && movesSlots(plan),
  );
  const index = here.findLastIndex(
    ({ plan }) => plan.operation === 'reshard' && isSame(plan.request, request),
  );
  const last = here[index];
  if (last === undefined || now - last.lastAt > rememberedMs || !isStopped(last, now)) return undefined;
  const others = here.slice(index + 1);
  if (others.some(({ plan, outcome }) => plan.operation !== 'heal' && outcome === 'done')) return undefined;
  const shares = last.plan.steps.flatMap((step) => {
    const source = step.kind === 'moveSlots' ? sourceNow(snapshot, step.from) : undefined;
    if (step.kind !== 'moveSlots' || source === undefined) return [];
    const target = snapshot.nodes.find(({ id }) => id === step.to);
    // Slots that the target owns while the source calls them open only have to be closed.
    const stale = intersectSlots(
      target?.slots ?? [],
      openSlotsIn(source.view?.self ?? { migrating: [], importing: [] }),
    );
    return [{ from: source.id, slots: intersectSlots(step.slots, unionSlots(source.slots, stale)) }];
  });
  const left = shares.filter(({ slots }) => slots.length > 0);
  return {
    journalId: last.id,
    stoppedAt: last.lastAt,
    from: [...new Set(left.map(({ from }) => from))],
    slots: unionSlots(...left.map(({ slots }) => slots)),
  };
}

/** The plan that moves what is left, with the request that it was made for. Throws a UserError where nothing is. */
export function planRemainder(
  snapshot: ClusterSnapshot,
  request: ReshardRequest,
  { slots, from, stoppedAt }: Remainder,
): Plan {
  const total = typeof request.slots === 'number' ? request.slots : countSlots(request.slots);
  const stopped = `the reshard of ${quantity(total, 'slot')} that stopped on ${timeText(stoppedAt)}`;
  const more = `To move ${quantity(total, 'more slot')} instead, run it with startOver: true.`;
  if (slots.length === 0) {
    throw new UserError(
      'nothing-to-do',
      `All slots of ${stopped} have already been moved. ${more} Nothing was changed.`,
    );
  }
  const plan = planReshard(snapshot, { ...request, from, slots });
  const left = countSlots(slots).toLocaleString('en-US');
  const note = `Resumes ${stopped}: ${left} of ${quantity(total, 'slot')} remain. ${more}`;
  return { ...plan, request, warnings: [note, ...plan.warnings] };
}

function movesSlots({ steps }: Plan): boolean {
  return steps.some(({ kind }) => kind === 'moveSlots');
}

function isStopped({ outcome, lastAt }: PlannedRun, now: number): boolean {
  return outcome === undefined ? now - lastAt > silentMs : unfinished.has(outcome);
}

/** How slots move is no part of what is moved. */
function isSame(one: object, other: ReshardRequest): boolean {
  const text = ({ from, to, slots }: Partial<ReshardRequest>): string =>
    JSON.stringify([typeof from === 'object' ? [...from].sort() : from, to, slots]);
  return text(one) === text(other);
}

/** The master that gives these slots, or the one that has taken its place. */
function sourceNow({ nodes }: ClusterSnapshot, id: string): RedisNode | undefined {
  const node = nodes.find((candidate) => candidate.id === id);
  return node?.role === 'replica' ? nodes.find((candidate) => candidate.id === node.masterId) : node;
}
