import * as z from 'zod/mini';
import { planFileSchema } from '../../src/operations/plans/planFile.ts';
import { stepKinds } from '../../src/operations/steps/index.ts';

const examples = new Map<unknown, object>(
  Object.values(stepKinds).map(({ kind, description, example }) => [
    kind,
    { kind, text: description, ...example },
  ]),
);

/** What editors check plan files by: the schema that reads them, with an example of every kind of step. */
export function planSchema(): object {
  return z.toJSONSchema(planFileSchema, {
    io: 'input',
    target: 'draft-7',
    override: ({ jsonSchema }) => {
      const example = examples.get(jsonSchema.title);
      if (example !== undefined) jsonSchema.examples = [example];
      // Every whole number is at most that.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
}
