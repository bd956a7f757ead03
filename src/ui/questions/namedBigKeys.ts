import { messageOf } from '../../model/errors.ts';
import type { Plan } from '../../operations/plans/plan.ts';
import type { Parts } from '../parts.ts';

/** How long whoever waits for a plan may be kept waiting for this; milliseconds. */
const withinMs = 1500;

/**
 * The plan with a warning for each of its moves about keys that may have to stay. What cannot be found out soon is
 * left out: the run looks again, and its result names what stayed.
 */
export async function namedBigKeys(parts: Parts, plan: Plan): Promise<Plan> {
  const moves = plan.steps.flatMap((step) => (step.kind === 'moveSlots' && step.to !== '' ? [step] : []));
  if (moves.length === 0) return plan;
  try {
    const redis = await parts.adapters.redis();
    const dialer = await parts.inventory.dialer(plan.ref);
    const found = await Promise.all(
      moves.map(({ from, to, slots }) =>
        redis.bigKeysAhead({ dialer, from, to, slots, withinMs }).catch((error: unknown) => {
          parts.log.debug(`Large keys of node ${from} were not looked up: ${messageOf(error)}`);
          return undefined;
        }),
      ),
    );
    const warnings = found.filter((text) => text !== undefined);
    return { ...plan, warnings: [...plan.warnings, ...warnings] };
  } catch (error) {
    parts.log.debug(`Large keys were not looked up: ${messageOf(error)}`);
    return plan;
  }
}
