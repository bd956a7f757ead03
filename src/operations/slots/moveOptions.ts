import * as z from 'zod/mini';
import { moveOptionsText, type MoveLimits, type MoveOptions } from '../../model/moves.ts';
import type { Plan } from '../plans/plan.ts';
import { readBy, type Refuse } from '../plans/readBy.ts';
import { described, matching, optional, strictObject } from '../steps/fields.ts';
import type { Step } from '../steps/index.ts';

function above0(what: string): z.ZodMiniNumber {
  return z.number(what).check(z.gt(0, what));
}

const percent = 'a number of percent above 0, and at most 100';
const time = 'a time with its zone, such as "2030-01-31T06:00:00Z"';

const limitFields = {
  latencyMs: optional(
    above0('a number of milliseconds above 0'),
    'Pauses while clients wait longer than this for source or target; milliseconds.',
  ),
  lagBytes: optional(
    above0('a number of bytes above 0'),
    'Pauses while a replica of the target is more than this many bytes behind.',
  ),
  memoryPercent: optional(
    above0(percent).check(z.lte(100, percent)),
    'Pauses while the target uses more than this share of its maxmemory.',
  ),
  // Without a zone a plan would end at another time on a colleague's machine.
  until: optional(
    matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/, time).check(
      z.refine((value) => !Number.isNaN(Date.parse(value)), time),
    ),
    'The end of the maintenance window, with its zone: the move ends there with no slot open.',
  ),
};

const limitNames = Object.keys(limitFields).join(', ');

/** What a person may have typed as limits of a move. */
export const moveLimits = described(
  strictObject(limitFields, {
    object: `an object of ${limitNames}`,
    field: `one of these limits: ${limitNames}`,
  }),
  'Where the move pauses by itself, and where it ends.',
);

/** Reads limits that somebody has typed. Throws what `refuse` makes. */
export function readMoveLimits(value: unknown, refuse: Refuse): MoveLimits {
  return readBy(moveLimits, value, refuse);
}

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
