import * as z from 'zod/mini';

// A schema is interpreted, not compiled to code: what it reads is untrusted.
z.config({ jitless: true });

/** Makes the error for a field, by its path (empty for the whole), that is not what is wanted. */
export type Refuse = (where: string, what: string) => Error;

/** Reads untrusted input by a schema. Throws what `refuse` makes of the first thing that is wrong. */
export function readBy<S extends z.ZodMiniType>(schema: S, value: unknown, refuse: Refuse): z.output<S> {
  const { success, data, error } = z.safeParse(schema, value);
  if (success) return data;
  const extra = error.issues.find((one) => one.code === 'unrecognized_keys');
  const [first] = error.issues;
  const issue = extra ?? first;
  throw refuse(pathText([...(issue?.path ?? []), ...(extra?.keys.slice(0, 1) ?? [])]), issue?.message ?? '');
}

/** Such as `steps[0].from`. */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
    )
    .join('');
}
