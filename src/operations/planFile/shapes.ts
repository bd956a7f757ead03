import { UserError } from '../../model/errors.ts';
import { readMoveLimits, type MoveLimits } from '../../model/moves.ts';
import type { Step, StepFields, StepKind } from '../../model/plan.ts';
import { formatSlots, parseSlots, type SlotSet } from '../../model/slots.ts';

/** The kinds of steps that a plan can be run of from a file; what the others need is not in their data. */
type FiledKind = Exclude<
  StepKind,
  | 'restartPod'
  | 'joinNodes'
  | 'applyManifests'
  | 'waitForCluster'
  | 'configure'
  | 'changeObject'
  | 'deleteObjects'
  | 'createUser'
  | 'keepUser'
>;

/** Reads one field of untrusted input. Throws a UserError that names it. */
type Read<T> = (value: unknown, where: string) => T;

type Shape<Fields> = { readonly [F in keyof Required<Fields>]: Read<Fields[F & keyof Fields]> };

/** Every field of every kind, so that a file can hold nothing else; the JSON schema says the same to people. */
const shapes: { readonly [K in FiledKind]: Shape<StepFields[K]> } = {
  moveSlots: {
    ...{ from: nodeId, to: nodeIdOrNone, pod: optional(objectName), slots },
    ...{ pace: optional(oneOf('gentle', 'fast')), limits: optional(limits) },
  },
  promote: {
    ...{ node: nodeId, how: oneOf('handOver', 'force', 'takeover') },
    ...{ master: optional(nodeId), dead: optional(listOf(nodeId)) },
  },
  replicate: {
    ...{ node: nodeIdOrNone, pod: optional(objectName), master: nodeIdOrNone },
    masterPod: optional(objectName),
  },
  meet: { node: nodeId, host: address, port, busPort: port },
  introduce: { servers: listOf(serverAt) },
  formShard: { node: nodeId, slots, replicas: listOrNone(nodeId) },
  forget: { node: nodeId },
  resetNode: { node: nodeId },
  copyFunctions: { from: nodeId, to: nodeIdOrNone, pod: optional(objectName) },
  setConfig: { nodes: listOf(nodeId), name: settingName, value: settingValue, before: settingValue },
  keepSetting: { configMap: objectName, name: settingName, value: settingValue },
  flush: { nodes: listOf(nodeId) },
  assignSlots: { node: nodeId, slots, dead: optional(listOf(nodeId)) },
  correctImports: { node: nodeId, owner: nodeId, slots },
  bringKeys: { from: nodeId, to: nodeId, slots },
  closeSlots: { node: nodeId, slots },
  setReplicas: { workload: objectName, from: optional(count), pods: count },
  waitForPods: { workload: optional(objectName), pods: count },
  replacePod: { pod: objectName, uid, isRecreated: yesOrNo, node: optional(nodeId) },
  emptyMaster: { pods: listOf(objectName) },
  deleteVolumes: { claims: listOf(objectName), uids: optional(listOf(uid)) },
};

/** Whether a plan of such steps can be written to a file, read again and run. */
export function isFiled(step: Step): boolean {
  return Object.hasOwn(shapes, step.kind);
}

/** A step as it stands in a file: slots as people write them. */
export function stepToFile(step: Step): object {
  return 'slots' in step ? { ...step, slots: formatSlots(step.slots) } : step;
}

/** Reads a step of untrusted input; its text is left to be made again. Throws a UserError that says what is wrong where. */
export function stepFromFile(value: unknown, where: string): Step {
  const given = objectFrom(value, where);
  const kind = Object.keys(shapes).find((known): known is FiledKind => known === given['kind']);
  if (kind === undefined) {
    throw wrong(`${where}.kind`, `one of ${Object.keys(shapes).join(', ')}`);
  }
  const shape: Readonly<Record<string, Read<unknown>>> = shapes[kind];
  const extra = Object.keys(given).find(
    (name) => !Object.hasOwn(shape, name) && name !== 'kind' && name !== 'text',
  );
  if (extra !== undefined) throw wrong(`${where}.${extra}`, 'a field of such a step');
  const fields = Object.entries(shape)
    .map(([name, read]) => [name, read(given[name], `${where}.${name}`)] as const)
    .filter(([, field]) => field !== undefined);
  return { kind, text: '', ...Object.fromEntries(fields) } as Step;
}

export function objectFrom(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw wrong(where, 'an object');
}

/** Reads a list of at most a thousand. */
export function listOf<T>(read: Read<T>): Read<readonly T[]> {
  return (value, where) => {
    if (!Array.isArray(value) || value.length === 0 || value.length > 1000) {
      throw wrong(where, 'a list of 1 to 1,000 entries');
    }
    return value.map((one: unknown, index) => read(one, `${where}[${index}]`));
  };
}

function listOrNone<T>(read: Read<T>): Read<readonly T[]> {
  return (value, where) => (Array.isArray(value) && value.length === 0 ? [] : listOf(read)(value, where));
}

function serverAt(value: unknown, where: string): StepFields['introduce']['servers'][number] {
  const { node, host, port: own, busPort, ...rest } = objectFrom(value, where);
  const [extra] = Object.keys(rest);
  if (extra !== undefined) throw wrong(`${where}.${extra}`, 'a field of such a server');
  return {
    node: nodeId(node, `${where}.node`),
    host: address(host, `${where}.host`),
    port: port(own, `${where}.port`),
    busPort: port(busPort, `${where}.busPort`),
  };
}

export function matching(pattern: RegExp, what: string): Read<string> {
  return (value, where) => {
    if (typeof value === 'string' && pattern.test(value)) return value;
    throw wrong(where, what);
  };
}

export function wrong(where: string, what: string): UserError {
  return new UserError('invalid-input', `The plan cannot be used: ${where} is not ${what}.`);
}

function optional<T>(read: Read<T>): Read<T | undefined> {
  return (value, where) => (value === undefined ? undefined : read(value, where));
}

function oneOf<const T extends string>(...values: readonly T[]): Read<T> {
  return (value, where) => {
    const found = values.find((one) => one === value);
    if (found === undefined) throw wrong(where, values.map((one) => `"${one}"`).join(' or '));
    return found;
  };
}

/** https://redis.io/docs/latest/commands/cluster-myid/ */
export function nodeId(value: unknown, where: string): string {
  return matching(/^[0-9a-f]{40}$/, 'a node id of 40 hexadecimal digits')(value, where);
}

function nodeIdOrNone(value: unknown, where: string): string {
  return value === '' ? value : nodeId(value, where);
}

export function slots(value: unknown, where: string): SlotSet {
  if (typeof value !== 'string' || value.length > 100_000) throw wrong(where, 'slots such as "0-99,200"');
  return parseSlots(value);
}

function limits(value: unknown, where: string): MoveLimits {
  return readMoveLimits(value, (field, what) => wrong(field === '' ? where : `${where}.${field}`, what));
}

function uid(value: unknown, where: string): string {
  return matching(/^[0-9a-zA-Z-]{1,64}$/, 'the uid of a Kubernetes object')(value, where);
}

function yesOrNo(value: unknown, where: string): boolean {
  if (typeof value === 'boolean') return value;
  throw wrong(where, 'true or false');
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names */
function objectName(value: unknown, where: string): string {
  return matching(/^(?=.{1,253}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'the name of a Kubernetes object')(
    value,
    where,
  );
}

function address(value: unknown, where: string): string {
  return matching(/^[0-9a-fA-F:.]{2,45}$/, 'an IP address')(value, where);
}

function port(value: unknown, where: string): number {
  const number = count(value, where);
  if (number < 1 || number > 65_535) throw wrong(where, 'a port');
  return number;
}

export function count(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw wrong(where, 'a whole number');
}

/** Settings that hold secrets stand in no plan. */
function settingName(value: unknown, where: string): string {
  const name = matching(/^[a-z0-9-]{1,64}$/, 'the name of a setting')(value, where);
  if (/pass|auth|user/.test(name)) throw wrong(where, 'a setting that a plan may change');
  return name;
}

function settingValue(value: unknown, where: string): string {
  return matching(/^[^\p{Cc}]{0,1024}$/u, 'the value of a setting')(value, where);
}
