import type { Kinship } from '../kubernetes/kubernetesAccess.ts';
import type { NodeView } from '../model/nodeView.ts';
import { countSlots, slotCount, unionSlots } from '../model/slots.ts';
import type { WorkloadFacts } from '../model/snapshot.ts';
import type { Source } from './source.ts';

/** A workload with its pods: whatever these know of each other, they are one cluster. */
export interface Unit {
  readonly workload: WorkloadFacts;
  /** Tells it from an earlier one of its name. */
  readonly uid?: string;
  readonly kin?: Kinship;
  /** `Kind/name` of its owners, the one that controls it first. */
  readonly owners?: readonly string[];
  readonly sources: readonly Source[];
}

/** `<kind>/<name>` */
export function keyOf({ workload: { kind, name } }: Unit): string {
  return `${kind}/${name}`;
}

export function viewsIn({ sources }: Unit): readonly NodeView[] {
  return sources.flatMap(({ reading }) => reading.view ?? []);
}

/** Whether the nodes of some workloads serve all slots. */
export function isWhole(units: readonly Unit[]): boolean {
  const slots = units.flatMap(viewsIn).map(({ self }) => self.slots);
  return countSlots(unionSlots(...slots)) === slotCount;
}

/** Keys that the servers of some workloads hold, copies included. */
export function keysIn(units: readonly Unit[]): number {
  return units.flatMap(viewsIn).reduce((sum, { keys }) => sum + keys, 0);
}

/**
 * What a cluster is called: what an operator's label or custom resource calls it, for several workloads also the lowest of
 * their owners that is above all of them, or their release; otherwise what the workloads' names have in common.
 * @param shared names that say nothing, since several clusters have them
 */
export function nameOf(units: readonly Unit[], shared: ReadonlySet<string> = new Set()): string {
  const names = units.map(({ workload }) => workload.name);
  return ownNames(units).find((name) => !shared.has(name)) ?? commonName(names);
}

/** What those who made some workloads call them together, the surest first. */
export function ownNames(units: readonly Unit[]): readonly string[] {
  const called = agreed(units.map(({ kin }) => kin?.name));
  const [first, ...rest] = units;
  if (rest.length === 0) return called;
  const owner = first?.owners?.find((one) => rest.every(({ owners = [] }) => owners.includes(one)));
  const owners = owner === undefined ? [] : [owner.slice(owner.indexOf('/') + 1)];
  return [...called, ...owners, ...agreed(units.map(({ kin }) => kin?.instance))];
}

function agreed(names: readonly (string | undefined)[]): readonly string[] {
  const [name, ...others] = new Set(names);
  return name === undefined || others.length > 0 ? [] : [name];
}

/** The StatefulSet's name, or what the names of several have in common: `shop-leader`, `shop-follower` → `shop`. */
export function commonName(names: readonly string[]): string {
  const [first = 'cluster', ...rest] = [...names].sort();
  let length = first.length;
  for (const name of rest) while (!name.startsWith(first.slice(0, length))) length -= 1;
  if (rest.length === 0) return first;
  return first.slice(0, length).replace(/[-.]+$/, '') || first;
}
