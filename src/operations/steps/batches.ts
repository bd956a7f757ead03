import { actionsOf, type Step } from './index.ts';

/** Steps that may be under way at the same time, with their places in the plan. */
export type Batch = readonly { readonly index: number; readonly step: Step }[];

/** Neighbouring steps go together where their kind says that each goes with all others. */
export function batchesOf(steps: readonly Step[]): readonly Batch[] {
  const batches: { index: number; step: Step }[][] = [];
  for (const [index, step] of steps.entries()) {
    const last = batches.at(-1);
    if (last?.every((other) => mayGoWith(other.step, step)) === true) last.push({ index, step });
    else batches.push([{ index, step }]);
  }
  return batches;
}

function mayGoWith(one: Step, other: Step): boolean {
  return one.kind === other.kind && actionsOf(one).goesWith?.(one, other) === true;
}

/** A node may be an end of that many moves at once: its own thread is the limit, and more only wait for it. */
const movesPerNode = 2;
const movesAtOnce = 16;

/**
 * Runs steps of one batch at the same time, as many as their nodes bear. After the first failure no further one is
 * begun; it rejects with that failure when those under way have ended.
 */
export async function runTogether<T extends { readonly step: Step }>(
  steps: readonly T[],
  run: (one: T) => Promise<void>,
): Promise<void> {
  const waiting = [...steps];
  const busy = new Map<string, number>();
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const isFree = ({ step }: T): boolean => {
    const ends = endsOf(step);
    return (
      ends.length === 0 ||
      (running.size < movesAtOnce && ends.every((end) => (busy.get(end) ?? 0) < movesPerNode))
    );
  };
  const count = ({ step }: T, change: 1 | -1): void => {
    for (const end of endsOf(step)) busy.set(end, (busy.get(end) ?? 0) + change);
  };
  for (;;) {
    const index = failures.length > 0 ? -1 : waiting.findIndex(isFree);
    const [next] = index < 0 ? [] : waiting.splice(index, 1);
    if (next === undefined) {
      if (running.size === 0) break;
      await Promise.race(running);
      continue;
    }
    count(next, 1);
    const under = run(next)
      .catch((error: unknown) => {
        failures.push(error);
      })
      .finally(() => {
        running.delete(under);
        count(next, -1);
      });
    running.add(under);
  }
  if (failures.length > 0) throw failures[0];
}

function endsOf(step: Step): readonly string[] {
  return actionsOf(step).move?.(step).ends ?? [];
}
