import type { KubernetesObject } from '../../kubernetes/kubernetesAccess.ts';
import { readYaml } from './readYaml.ts';

/** An entry of a kustomization's `patches`: a strategic merge patch, or JSON patches (RFC 6902) with a target. */
export interface Patch {
  readonly path?: string;
  readonly patch?: string;
  readonly target?: { readonly kind: string; readonly name?: string };
}

/** By what the elements of a list are known; what is named as `whole` is replaced. */
const listKeys: Readonly<Record<string, string>> = {
  containers: 'name',
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
  topologySpreadConstraints: 'topologyKey',
};
const whole = new Set([
  'command',
  'args',
  'requiredDuringSchedulingIgnoredDuringExecution',
  'volumeClaimTemplates',
]);

/** The objects with a patch applied to the one or the ones that it is for; throws where there is none. */
export function applyPatch(
  where: string,
  objects: readonly KubernetesObject[],
  text: string,
  { target }: Patch,
): KubernetesObject[] {
  const documents = readYaml(text);
  const [operations] = documents;
  if (Array.isArray(operations)) {
    if (target === undefined) throw new Error(`${where}: a JSON patch needs a target`);
    const isTarget = ({ kind, metadata: { name } }: KubernetesObject): boolean =>
      kind === target.kind && (target.name ?? name) === name;
    return patched(where, objects, isTarget, (object) =>
      (operations as readonly JsonOperation[]).reduce((sofar, one) => jsonPatched(where, sofar, one), object),
    );
  }
  if (target !== undefined) throw new Error(`${where}: a merge patch with a target is not understood`);
  return (documents as readonly KubernetesObject[]).reduce<KubernetesObject[]>(
    (sofar, patch) => {
      const isTarget = ({ kind, metadata }: KubernetesObject): boolean =>
        kind === patch.kind && metadata.name === patch.metadata.name;
      return patched(where, sofar, isTarget, (object) => merged(where, object, patch) as KubernetesObject);
    },
    [...objects],
  );
}

function patched(
  where: string,
  objects: readonly KubernetesObject[],
  isTarget: (object: KubernetesObject) => boolean,
  change: (object: KubernetesObject) => KubernetesObject,
): KubernetesObject[] {
  if (!objects.some(isTarget)) throw new Error(`${where}: there is no object that a patch is for`);
  return objects.map((object) => (isTarget(object) ? change(object) : object));
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Strategic merge: null removes a field, lists whose elements have a key are merged by it, new elements first.
 * https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
function merged(where: string, old: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch;
  const result = new Map(Object.entries(isFields(old) ? old : {}));
  for (const [field, value] of Object.entries(patch)) {
    if (field.startsWith('$')) throw new Error(`${where}: "${field}" in a patch is not understood`);
    if (value === null) result.delete(field);
    else if (Array.isArray(value)) result.set(field, mergedList(where, field, result.get(field), value));
    else result.set(field, merged(where, result.get(field), value));
  }
  return Object.fromEntries(result);
}

function mergedList(where: string, field: string, old: unknown, patch: readonly unknown[]): unknown {
  if (whole.has(field)) return patch;
  const key = listKeys[field];
  if (key === undefined) throw new Error(`${where}: how to merge the list "${field}" is not known`);
  const before = (old ?? []) as readonly Fields[];
  const named = new Map((patch as readonly Fields[]).map((element) => [element[key], element]));
  const known = new Set(before.map((element) => element[key]));
  return [
    ...[...named.values()].filter((element) => !known.has(element[key])),
    ...before.map((element) => merged(where, element, named.get(element[key]) ?? {})),
  ];
}

interface JsonOperation {
  readonly op: string;
  readonly path: string;
  /** Where what is moved stands before. */
  readonly from?: string;
  readonly value?: unknown;
}

/** `add` to the end of a list or as a field, and `move` of a field; whatever else a JSON patch can do is not used. */
function jsonPatched(
  where: string,
  object: KubernetesObject,
  { op, path, from, value }: JsonOperation,
): KubernetesObject {
  const steps = path.split('/').slice(1);
  if (op === 'add') return added(where, object, steps, value) as KubernetesObject;
  if (op !== 'move' || from === undefined)
    throw new Error(`${where}: "${op}" in a JSON patch is not understood`);
  const { moved, rest } = taken(where, object, from.split('/').slice(1));
  return added(where, rest, steps, moved) as KubernetesObject;
}

function taken(
  where: string,
  old: unknown,
  [step = '', ...steps]: readonly string[],
): { readonly moved: unknown; readonly rest: Fields } {
  if (!isFields(old) || !(step in old)) throw new Error(`${where}: there is no "${step}" to move`);
  const { [step]: inner, ...others } = old;
  if (steps.length === 0) return { moved: inner, rest: others };
  const { moved, rest } = taken(where, inner, steps);
  return { moved, rest: { ...old, [step]: rest } };
}

function added(
  where: string,
  old: unknown,
  [step = '', ...rest]: readonly string[],
  value: unknown,
): unknown {
  if (Array.isArray(old)) {
    if (step === '-' && rest.length === 0) return [...(old as unknown[]), value];
    const index = Number(step);
    if (Number.isInteger(index) && index in old && rest.length > 0)
      return old.map((one: unknown, i) => (i === index ? added(where, one, rest, value) : one));
  } else if (isFields(old) && !step.includes('~')) {
    if (rest.length === 0) return { ...old, [step]: value };
    if (step in old) return { ...old, [step]: added(where, old[step], rest, value) };
  }
  throw new Error(`${where}: there is nowhere to add at "${step}"`);
}
