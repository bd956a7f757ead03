import * as z from 'zod/mini';
import { clusterKey, describeRef, isKubernetesRef, parseClusterRef } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { formatSlots } from '../../model/slots.ts';
import type { Unfinished, WrittenPlan } from '../run/journal.ts';
import { moveNotes } from '../slots/moveOptions.ts';
import { namesIn } from '../servers/nodes.ts';
import { changesSince, fingerprintOf, nodePrint } from './fingerprint.ts';
import { plainPlan, type Plan } from './plan.ts';
import { readBy } from './readBy.ts';
import { described, listOf, matching, optional, strictObject } from '../steps/fields.ts';
import { actionsOf, lossesOf, stepKinds, type Step } from '../steps/index.ts';
import { schemaOf } from '../steps/step.ts';

/** The version of the format; a file of another one is refused. */
const format = 1;
/** A file is read as a whole; more than any plan for a thousand nodes needs, in characters. */
const longest = 4_000_000;

const { moveSlots, ...others } = stepKinds;
const otherKinds = Object.values(others).filter(({ isSaved }) => isSaved);
const saved = [moveSlots, ...otherKinds].map(({ kind }) => kind).join(', ');

const steps = listOf(
  z.pipe(
    z.discriminatedUnion('kind', [schemaOf(moveSlots), ...otherKinds.map(schemaOf)], {
      error: ({ code }: { readonly code?: string }) =>
        code === 'invalid_union' ? `one of ${saved}` : 'an object',
    }),
    z.transform((step): Step => ({ ...step, text: '' }) as Step),
  ),
);

const anyCluster = z.union(
  [
    z.strictObject({ context: z.string(), namespace: z.string(), name: z.string() }),
    z.strictObject({ addresses: z.array(z.string()).check(z.minLength(1)) }),
  ],
  '{context, namespace, name} or {addresses: ["host:port"]}',
);

const texts = z.array(z.string(), 'a list of texts');

/** What a file holds. Texts are for people who read it: all that is shown is made again from the steps. */
export const planFileSchema = strictObject(
  {
    $schema: optional(z.string('a text')),
    redisplan: described(
      z.literal(format, `${format}, the version of plans this extension reads`),
      'The version of this format.',
    ),
    savedAt: optional(z.string('a time').check(z.meta({ format: 'date-time' }))),
    title: matching(/^[^\p{Cc}]{1,500}$/u, 'a line of text'),
    cluster: described(
      z.pipe(
        anyCluster,
        z.transform((ref: z.output<typeof anyCluster>) => parseClusterRef(ref)),
      ),
      'Which cluster it is about.',
    ),
    operation: described(
      matching(/^[a-zA-Z]{1,40}$/, 'the name of an operation'),
      'The command that made the plan, and creates it again.',
    ),
    request: described(z.record(z.string(), z.unknown(), 'an object'), 'What that command was asked.'),
    warnings: optional(texts),
    losses: optional(texts, 'For people who read the file; recreated from the steps before they run.'),
    steps,
    madeOf: described(
      listOf(nodePrint),
      'The nodes when the plan was made. Anything else now, and the plan is refused.',
    ),
  },
  { object: 'an object', field: 'a field of a plan' },
).check(
  z.meta({
    title: 'Redis Cluster plan',
    description:
      'A change to a Redis Cluster, step by step. It runs only while the cluster is as madeOf says.',
  }),
);

/** A plan as it was read from a file, before it is held against the cluster. */
export type FiledPlan = Readonly<z.output<typeof planFileSchema>>;

/** Whether a plan can be saved: all its steps say all that it takes to run them. */
export function canSave(plan: Plan): boolean {
  return plan.steps.length > 0 && plan.steps.every(({ kind }) => stepKinds[kind].isSaved);
}

/** The text of a `.redisplan.json`: to be read by people, and only good for the cluster as it is in the snapshot. */
export function writePlanFile(plan: Plan, snapshot: ClusterSnapshot, savedAt: Date): string {
  const madeOf = fingerprintOf(snapshot).map((print) => ({ ...print, slots: formatSlots(print.slots) }));
  const content = { redisplan: format, savedAt: savedAt.toISOString(), ...plainPlan(plan), madeOf };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

/** Reads a file, which may come from anybody. Throws a UserError that says what is wrong where. */
export function readPlanFile(text: string): FiledPlan {
  if (text.length > longest) throw wrong('', 'short enough to be a plan');
  return readBy(planFileSchema, parsed(text), wrong);
}

/** The plan of a journal, to be run again; undefined where its steps do not say all that it takes. */
export function readWrittenPlan({ steps: written, ...plan }: WrittenPlan): Plan | undefined {
  try {
    const read = readBy(steps, written, wrong);
    return { ...plan, steps: read.map((step, index) => ({ ...step, text: written[index]?.text ?? '' })) };
  } catch {
    return undefined;
  }
}

/**
 * What is left to run of an operation that was not finished. The servers say what is done, but for steps that must not be
 * done once more: these are left out where the journal says so. Undefined as for `readWrittenPlan`.
 */
export function planToResume({
  plan: written,
  doneSteps,
}: Pick<Unfinished, 'plan' | 'doneSteps'>): Plan | undefined {
  const plan = readWrittenPlan(written);
  if (plan === undefined) return undefined;
  const left = plan.steps.filter(
    (step, index) => !(doneSteps.has(index) && actionsOf(step).onlyOnce === true),
  );
  if (left.length === plan.steps.length) return plan;
  // What was lost is lost already, and is not to be confirmed again.
  const losses = left.flatMap((step) => actionsOf(step).loss(step, shortId) ?? []);
  return { ...plan, steps: left, losses };
}

function shortId(id: string): string {
  return id.slice(0, 8);
}

function wrong(where: string, what: string): UserError {
  return new UserError(
    'invalid-input',
    `The plan cannot be used: ${where === '' ? 'the file' : where} is not ${what}.`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError('invalid-input', 'The plan cannot be used: the file is not JSON.', { cause: error });
  }
}

/**
 * The plan to be run, its texts and losses made again from its steps. Throws a UserError `unsafe` where the cluster has
 * moved on since the plan was saved, with what has changed.
 */
export function planFromFile(filed: FiledPlan, snapshot: ClusterSnapshot): Plan {
  if (clusterKey(snapshot.ref) !== clusterKey(filed.cluster))
    throw new Error('the snapshot is of another cluster');
  const changes = changesSince(filed.madeOf, snapshot);
  if (changes.length > 0) {
    const more = changes.length > 5 ? ` and ${changes.length - 5} more changes` : '';
    throw new UserError(
      'unsafe',
      `${isKubernetesRef(snapshot.ref) ? describeRef(snapshot.ref) : snapshot.name} has changed since the plan was saved: ${changes.slice(0, 5).join('; ')}${more}. Nothing was changed. Create a new plan (${filed.operation}).`,
    );
  }
  return planOfSteps(filed, snapshot);
}

function planOfSteps({ operation, request, steps }: FiledPlan, snapshot: ClusterSnapshot): Plan {
  const nameOf = namesIn(snapshot);
  const name = isKubernetesRef(snapshot.ref) ? snapshot.ref.name : snapshot.name;
  return {
    title: `Run a saved plan (${operation}) on ${name}`,
    ref: snapshot.ref,
    operation,
    request,
    warnings: moveNotes(steps),
    losses: lossesOf(steps, nameOf),
    steps: steps.map((step) => ({ ...step, text: actionsOf(step).text(step, nameOf) })),
  };
}
