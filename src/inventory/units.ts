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
 * A single workload's name; what an operator calls the cluster of several, or the lowest of their owners that is above
 * all of them; otherwise what their names have in common.
 */
export function nameOf(units: readonly Unit[]): string {
  const [called, ...others] = new Set(units.map(({ kin }) => kin?.name));
  if (units.length > 1 && called !== undefined && others.length === 0) return called;
  const [first, ...rest] = units;
  const owner = first?.owners?.find((one) => rest.every(({ owners = [] }) => owners.includes(one)));
  if (rest.length > 0 && owner !== undefined) return owner.slice(owner.indexOf('/') + 1);
  return commonName(units.map(({ workload }) => workload.name));
}

/** The StatefulSet's name, or what the names of several have in common: `shop-leader`, `shop-follower` → `shop`. */
export function commonName(names: readonly string[]): string {
  const [first = 'cluster', ...rest] = [...names].sort();
  let length = first.length;
  for (const name of rest) while (!name.startsWith(first.slice(0, length))) length -= 1;
  if (rest.length === 0) return first;
  return first.slice(0, length).replace(/[-.]+$/, '') || first;
}
