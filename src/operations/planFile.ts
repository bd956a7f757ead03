import {
  clusterKey,
  describeRef,
  isKubernetesRef,
  parseClusterRef,
  type ClusterRef,
} from '../model/clusterRef.ts';
import { UserError } from '../model/errors.ts';
import type { Plan } from '../model/plan.ts';
import { nodeName } from '../model/shards.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import { formatSlots } from '../model/slots.ts';
import { moveNotes } from './moveOptions.ts';
import { changesSince, fingerprintOf, type NodePrint } from './planFile/fingerprint.ts';
import {
  count,
  isFiled,
  listOf,
  matching,
  nodeId,
  objectFrom,
  slots,
  stepFromFile,
  stepToFile,
  wrong,
} from './planFile/shapes.ts';
import { stepLoss, stepText } from './planFile/stepText.ts';

/** The version of the format; a file of another one is refused. */
const format = 1;
/** A file is read as a whole; more than any plan for a thousand nodes needs, in characters. */
const longest = 4_000_000;

/** Whether a plan can be saved: all its steps say all that it takes to run them. */
export function canSave(plan: Plan): boolean {
  return plan.steps.length > 0 && plan.steps.every(isFiled);
}

/** What a plan's file and its journal both say of it, apart from its steps. */
export function plainHead({ title, ref, operation, request, warnings, losses }: Plan): object {
  return { title, cluster: ref, operation, request, warnings, losses };
}

/** The text of a `.redisplan.json`: to be read by people, and only good for the cluster as it is in the snapshot. */
export function writePlanFile(plan: Plan, snapshot: ClusterSnapshot, savedAt: Date): string {
  const madeOf = fingerprintOf(snapshot).map((print) => ({ ...print, slots: formatSlots(print.slots) }));
  const content = {
    redisplan: format,
    savedAt: savedAt.toISOString(),
    ...plainHead(plan),
    steps: plan.steps.map(stepToFile),
    madeOf,
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

/** A plan as it was read from a file, before it is held against the cluster. */
export interface FiledPlan {
  readonly cluster: ClusterRef;
  readonly title: string;
  readonly operation: string;
  readonly request: object;
  readonly steps: Plan['steps'];
  readonly madeOf: readonly NodePrint[];
}

const fields = [
  ...['$schema', 'redisplan', 'savedAt', 'title', 'cluster', 'operation', 'request', 'warnings', 'losses'],
  ...['steps', 'madeOf'],
];

/** Reads a file, which may come from anybody. Throws a UserError that says what is wrong where. */
export function readPlanFile(text: string): FiledPlan {
  if (text.length > longest) throw wrong('the file', 'short enough to be a plan');
  const given = objectFrom(parsed(text), 'the file');
  if (given['redisplan'] !== format)
    throw wrong('redisplan', `${format}, the version of plans this extension reads`);
  const extra = Object.keys(given).find((name) => !fields.includes(name));
  if (extra !== undefined) throw wrong(extra, 'a field of a plan');
  const oneLine = matching(/^[^\p{Cc}]{1,500}$/u, 'a line of text');
  return {
    cluster: parseClusterRef(given['cluster']),
    title: oneLine(given['title'], 'title'),
    operation: matching(/^[a-zA-Z]{1,40}$/, 'the name of an operation')(given['operation'], 'operation'),
    request: objectFrom(given['request'], 'request'),
    steps: listOf(stepFromFile)(given['steps'], 'steps'),
    madeOf: listOf(printFromFile)(given['madeOf'], 'madeOf'),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError('invalid-input', 'The plan cannot be used: the file is not JSON.', { cause: error });
  }
}

function printFromFile(value: unknown, where: string): NodePrint {
  const given = objectFrom(value, where);
  const { role, slots: owned, masterId, epoch } = given;
  if (role !== 'master' && role !== 'replica') throw wrong(`${where}.role`, '"master" or "replica"');
  return {
    id: nodeId(given['id'], `${where}.id`),
    role,
    slots: owned === '' ? [] : slots(owned, `${where}.slots`),
    ...(masterId === undefined ? {} : { masterId: nodeId(masterId, `${where}.masterId`) }),
    ...(epoch === undefined ? {} : { epoch: count(epoch, `${where}.epoch`) }),
  };
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
  const nameOf = (id: string): string => {
    const node = snapshot.nodes.find((one) => one.id === id);
    return node === undefined ? id.slice(0, 8) : nodeName(node);
  };
  const losses = steps.map((step) => stepLoss(step, nameOf)).filter((loss) => loss !== undefined);
  const name = isKubernetesRef(snapshot.ref) ? snapshot.ref.name : snapshot.name;
  return {
    title: `Run a saved plan (${operation}) on ${name}`,
    ref: snapshot.ref,
    operation,
    request,
    warnings: moveNotes(steps),
    losses,
    steps: steps.map((step) => ({ ...step, text: stepText(step, nameOf) })),
  };
}
