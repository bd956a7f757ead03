import { moveOptionsText, type MoveOptions } from '../model/moves.ts';
import type { Plan, Step } from '../model/plan.ts';

/** The plan with its moves of slots to be made as asked, and with what to know of that. The one way to ask for it. */
export function movingAs(plan: Plan, { pace, limits }: MoveOptions): Plan {
  const asked = { ...(pace === undefined ? {} : { pace }), ...(limits === undefined ? {} : { limits }) };
  const steps = plan.steps.map((step) => (step.kind === 'moveSlots' ? { ...step, ...asked } : step));
  return { ...plan, steps, warnings: [...plan.warnings, ...moveNotes(steps)] };
}

/** How the moves among the steps are made, in sentences. Steps of a file may each say something else. */
export function moveNotes(steps: readonly Step[]): readonly string[] {
  const moves = steps.flatMap((step, index) =>
    step.kind === 'moveSlots' ? [{ number: index + 1, text: moveOptionsText(step).join(' ') }] : [],
  );
  return [...Map.groupBy(moves, ({ text }) => text)]
    .filter(([text]) => text !== '')
    .map(([text, those]) =>
      those.length === moves.length
        ? text
        : `${those.length === 1 ? 'Step' : 'Steps'} ${those.map(({ number }) => number).join(', ')}: ${text}`,
    );
}
