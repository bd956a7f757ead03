import { StoppedError, UserError } from '../../model/errors.ts';
import type { Plan } from '../plans/plan.ts';
import { quantity } from '../../model/quantity.ts';
import { countSlots, formatSlots, unionSlots } from '../../model/slots.ts';
import { actionsOf } from '../steps/index.ts';
import type { Left, Tally } from '../steps/ports.ts';

export interface PlanResult {
  /** How many steps the servers report as done, those included that were done before. */
  readonly steps: number;
  readonly skipped: number;
  readonly movedSlots: number;
  readonly movedKeys: number;
  /** How many values that were written were compared afterwards, and are equal. */
  readonly comparedValues?: number;
  /** How long clients of a source or a target had to wait at most while slots moved; milliseconds. */
  readonly longestWaitMs?: number;
  /** By which way slots were moved, where some were. */
  readonly method?: string;
  /** Pods that were restarted, in this order. */
  readonly updatedPods?: readonly string[];
  /** Objects in Kubernetes that were deleted, such as `StatefulSet shop`, where some were. */
  readonly deleted?: readonly string[];
  readonly seconds: number;
  /** The user or the end of the maintenance window stopped it at a safe point; what was done until then stays. */
  readonly cancelled: boolean;
  /** Why it stopped, where that was not by the user; goes on from "Stopped". */
  readonly why?: string;
  /** Slots that a step refused to move while it moved the others, such as "5,7-9", and why. */
  readonly leftSlots?: string;
  readonly leftWhy?: readonly string[];
  /** What to know of the steps that had begun where it stopped. */
  readonly notes?: readonly string[];
}

/** `left`: the step did what it could and left some slots where they are. */
export type StepState = 'begun' | 'done' | 'skipped' | 'left';

/** What a run has done so far. */
export interface Reached {
  readonly plan: Plan;
  readonly states: ReadonlyMap<number, StepState>;
  readonly tallies: readonly Tally[];
  readonly left: readonly Left[];
  /** Ends before the last step, at a safe point and by intent. */
  readonly isStopped: boolean;
  readonly why?: string;
  readonly seconds: number;
}

export function resultOf(reached: Reached): PlanResult {
  const { plan, states, tallies, left, isStopped, why, seconds } = reached;
  const all = [...states.values()];
  const ended = all.filter((state) => state === 'done' || state === 'skipped');
  const methods = new Set(tallies.flatMap(({ method }) => (method === undefined ? [] : [method])));
  const sum = (figure: 'slots' | 'keys' | 'compared'): number =>
    tallies.reduce((total, tally) => total + (tally[figure] ?? 0), 0);
  const waits = tallies.flatMap(({ longestWaitMs }) => (longestWaitMs === undefined ? [] : [longestWaitMs]));
  const updatedPods = tallies.flatMap(({ restarted }) => restarted ?? []);
  const deleted = tallies.flatMap((tally) => tally.deleted ?? []);
  const leftSlots = formatSlots(unionSlots(...left.map(({ slots }) => slots)));
  const cancelled = left.length === 0 ? ended.length < plan.steps.length : isStopped;
  const notes = cancelled ? notesOf(reached) : [];
  return {
    steps: ended.length,
    skipped: ended.filter((state) => state === 'skipped').length,
    movedSlots: sum('slots'),
    movedKeys: sum('keys'),
    ...(sum('compared') === 0 ? {} : { comparedValues: sum('compared') }),
    ...(waits.length === 0 ? {} : { longestWaitMs: Math.round(Math.max(...waits)) }),
    ...(methods.size === 0 ? {} : { method: [...methods].join(' and ') }),
    ...(updatedPods.length === 0 ? {} : { updatedPods }),
    ...(deleted.length === 0 ? {} : { deleted }),
    seconds,
    cancelled,
    ...(notes.length === 0 ? {} : { notes }),
    ...(why === undefined ? {} : { why }),
    ...(left.length === 0 ? {} : { leftSlots, leftWhy: left.map((one) => one.why) }),
  };
}

/** What the steps that had begun say of a run that stops, each thing once. */
function notesOf({ plan, states }: Pick<Reached, 'plan' | 'states'>): readonly string[] {
  const begun = plan.steps.filter((_, index) => states.has(index));
  return [...new Set(begun.flatMap((step) => actionsOf(step).ifStopped?.(step) ?? []))];
}

/** How many slots all steps of a plan move. */
export function slotsIn({ steps }: Plan): number {
  return steps.reduce((sum, step) => sum + countSlots(actionsOf(step).move?.(step).slots ?? []), 0);
}

/** The error with what was done and what was left; a StoppedError where something had begun. */
export function withState(reached: Reached, error: unknown): unknown {
  if (!(error instanceof UserError)) return error;
  const { plan, states } = reached;
  const result = resultOf(reached);
  const message = stateText(reached, result, error);
  const isBegun = [...states.values()].some((state) => state !== 'skipped');
  if (!isBegun) return new UserError(error.reason, message, { cause: error });
  const changed =
    result.steps > result.skipped ||
    result.movedSlots > 0 ||
    result.movedKeys > 0 ||
    result.deleted !== undefined ||
    result.leftSlots !== undefined;
  return new StoppedError(error.reason, message, {
    changed,
    reached: { ...result, cancelled: false, totalSteps: plan.steps.length },
    cause: error,
  });
}

function stateText(reached: Reached, result: PlanResult, error: UserError): string {
  const { plan, states, left } = reached;
  const total = slotsIn(plan);
  const moved =
    result.movedSlots === 0
      ? []
      : [`${result.movedSlots.toLocaleString('en-US')} of ${quantity(total, 'slot')} moved.`];
  const kept = left.map(({ why }) => why);
  const [first] = plan.steps;
  if (plan.steps.length === 1) {
    // What a step itself makes of a failure has its cause; a connection that broke knows nothing of the step.
    const isBare = error.reason === 'unreachable' && error.cause === undefined;
    if (!isBare || states.get(0) !== 'begun') return [error.message, ...moved, ...notesOf(reached)].join(' ');
    return `${error.message}. "${first?.text ?? ''}" may be half done. Run it again when the server answers; it resumes where it stopped.`;
  }
  const texts = (wanted: (state: StepState | undefined) => boolean): readonly string[] =>
    plan.steps.filter((_, index) => wanted(states.get(index))).map(({ text }) => text);
  const done = texts((state) => state === 'done' || state === 'skipped');
  const unbegun = texts((state) => state === undefined);
  return [
    error.message,
    `${done.length} of ${quantity(plan.steps.length, 'step')} done.`,
    ...moved,
    ...kept,
    ...(unbegun.length === 0 ? [] : [`Not started: ${listed(unbegun)}.`]),
    ...notesOf(reached),
    'What is done remains. Fix the cause and run it again; it resumes where it stopped.',
  ].join(' ');
}

function listed(texts: readonly string[]): string {
  const more = texts.length > 3 ? ` and ${texts.length - 3} more` : '';
  return texts.slice(0, 3).join('; ') + more;
}
