import { messageOf, UserError } from '../../model/errors.ts';
import type { Plan } from '../plans/plan.ts';
import { bind } from '../steps/bind.ts';
import { stepKinds } from '../steps/index.ts';
import type { RunPorts } from './runPlan.ts';

/**
 * What running a plan now would do, one line for each step: what is done already, whether the first of the others could
 * begin, and what would follow. Asks the servers and changes nothing.
 */
export async function dryRun(plan: Plan, ports: RunPorts): Promise<readonly string[]> {
  const snapshot = await ports.readSnapshot();
  const stepPorts = {
    ...ports,
    snapshot,
    moves: ports.redis.concurrentMoves(),
    tally: () => undefined,
    endRun: () => undefined,
    leave: () => undefined,
    takenBackBy: () => undefined,
    keepPaused: () => undefined,
  };
  const lines: string[] = [];
  let isFirst = true;
  for (const [index, step] of plan.steps.entries()) {
    const line = async (): Promise<string> => {
      const bound = bind(step, index, stepPorts, stepKinds);
      if (await bound.isDone()) return isFirst ? 'already done' : 'already so';
      if (!isFirst) return 'would run after that';
      isFirst = false;
      await bound.check();
      return 'could start now';
    };
    const state = await line().catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      return isFirst || error.reason !== 'not-found'
        ? `cannot start: ${messageOf(error)}`
        : 'would run after that';
    });
    lines.push(`${index + 1}. ${step.text}: ${state}`);
  }
  return lines;
}
