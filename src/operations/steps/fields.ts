import * as z from 'zod/mini';
import { parseSlots, type SlotSet } from '../../model/slots.ts';

// The fields that steps have. Each says what is wanted of it: that is the error where a plan file holds something else.

/** The fields of a step by their names. */
export type Fields = Readonly<Record<string, z.ZodMiniType>>;

/** A field that may be left out. */
export function optional<S extends z.ZodMiniType>(field: S, description?: string): z.ZodMiniExactOptional<S> {
  const left = z.exactOptional(field);
  return description === undefined ? left : described(left, description);
}

/** A field that the JSON schema explains beside its name. */
export function described<S extends z.ZodMiniType>(field: S, description: string): S {
  return field.check(z.describe(description));
}

type ListOf<S extends z.ZodMiniType> = z.ZodMiniType<readonly z.output<S>[], readonly z.input<S>[]>;

const most = 1000;

export function listOf<S extends z.ZodMiniType>(entry: S): ListOf<S> {
  const what = 'a list of 1 to 1,000 entries';
  return z.array(entry, what).check(z.minLength(1, what), z.maxLength(most, what));
}

export function listOrNone<S extends z.ZodMiniType>(entry: S): ListOf<S> {
  const what = 'a list of at most 1,000 entries';
  return z.array(entry, what).check(z.maxLength(most, what));
}

/** An object that has no other fields than these. @param what what is wanted, as an object and instead of another field */
export function strictObject<F extends Fields>(
  fields: F,
  what: { readonly object: string; readonly field: string },
): z.ZodMiniObject<F, z.core.$strict> {
  return z.strictObject(fields, {
    error: ({ code }) => (code === 'unrecognized_keys' ? what.field : what.object),
  });
}

export function matching(pattern: RegExp, what: string): z.ZodMiniString {
  return z.string(what).check(z.regex(pattern, what));
}

export function oneOf<const T extends readonly string[]>(
  ...values: T
): z.ZodMiniEnum<z.core.util.ToEnum<T[number]>> {
  return z.enum(values, values.map((one) => `"${one}"`).join(' or '));
}

/** https://redis.io/docs/latest/commands/cluster-myid/ */
export const nodeId = matching(/^[0-9a-f]{40}$/, 'a node id of 40 hexadecimal digits').check(
  z.meta({ id: 'nodeId', description: 'A node id (CLUSTER MYID).' }),
);

/** Empty until a step is reached whose node does not exist when the plan is made: a pod stands for it. */
export const nodeIdOrNone = matching(/^([0-9a-f]{40})?$/, 'a node id of 40 hexadecimal digits').check(
  z.meta({
    id: 'nodeIdOrNone',
    description: 'A node id; empty where a pod stands for a node that does not exist yet.',
  }),
);

const slotsWanted = 'slots such as "0-99,200"';

function slotsMatching(pattern: RegExp) {
  return z.pipe(
    z.string(slotsWanted).check(z.maxLength(100_000, slotsWanted), z.regex(pattern, slotsWanted)),
    z.transform((text: string): SlotSet => (text === '' ? [] : parseSlots(text))),
  );
}

/** Slots as people write them. */
export const slots = slotsMatching(/^[0-9]+(-[0-9]+)?(, ?[0-9]+(-[0-9]+)?)*$/).check(
  z.meta({ id: 'slots', description: 'Hash slots and ranges, for example 0-99,200.' }),
);

export const slotsOrNone = slotsMatching(/^([0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)?$/);

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names */
export const objectName = z
  .string('the name of a Kubernetes object')
  .check(
    z.maxLength(253, 'the name of a Kubernetes object'),
    z.regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'the name of a Kubernetes object'),
    z.meta({ id: 'name' }),
  );

export const uid = matching(/^[0-9a-zA-Z-]{1,64}$/, 'the uid of a Kubernetes object');

/** A Kubernetes quantity of bytes. */
export const amount = matching(/^[0-9.]+[A-Za-z]{0,2}$/, 'an amount such as 512Mi');

export const imageName = matching(/^[\w][\w.:/@-]{0,511}$/, 'the name of an image');

export const secretKey = matching(/^[-._a-zA-Z0-9]{1,253}$/, 'a key of a Secret');

export const address = matching(/^[0-9a-fA-F:.]{2,45}$/, 'an IP address');

export const port = z.int('a port').check(z.gte(1, 'a port'), z.lte(65_535, 'a port'));

export const count = z.int('a whole number').check(z.gte(0, 'a whole number'));

export const yesOrNo = z.boolean('true or false');

/** Settings that hold secrets stand in no plan. */
export const settingName = matching(/^[a-z0-9-]{1,64}$/, 'the name of a setting').check(
  z.refine((name) => !/pass|auth|user/.test(name), 'a setting that a plan may change'),
);

export const settingValue = matching(/^[^\p{Cc}]{0,1024}$/u, 'the value of a setting');

/** Where a server is. */
export const serverAt = strictObject(
  { node: nodeId, host: address, port, busPort: port },
  { object: 'an object', field: 'a field of such a server' },
);
