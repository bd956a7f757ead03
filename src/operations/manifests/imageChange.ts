import type { KubernetesObject } from '../../kubernetes/kubernetesAccess.ts';

/** An entry of a kustomization's `images`. */
export interface ImageChange {
  readonly name: string;
  readonly newName?: string;
  readonly newTag?: string;
}

/** Names other images for those of a name, whatever their tag, in every list of containers. */
export function changeImages(
  objects: readonly KubernetesObject[],
  changes: readonly ImageChange[],
): KubernetesObject[] {
  return objects.map((object) => changed(object, changes) as KubernetesObject);
}

function changed(value: unknown, changes: readonly ImageChange[]): unknown {
  if (Array.isArray(value)) return value.map((one) => changed(one, changes));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([field, inner]) => [
      field,
      field === 'image' && typeof inner === 'string' ? changedImage(inner, changes) : changed(inner, changes),
    ]),
  );
}

function changedImage(image: string, changes: readonly ImageChange[]): string {
  return changes.reduce((sofar, { name, newName = name, newTag }) => {
    const [, found, tag] = /^(.*?)(?::([^:/]*))?$/.exec(sofar) ?? [];
    if (found !== name) return sofar;
    const kept = newTag ?? tag;
    return kept === undefined ? newName : `${newName}:${kept}`;
  }, image);
}
