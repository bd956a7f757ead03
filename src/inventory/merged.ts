import type { LastGroups } from './lastGroups.ts';
import { Sets } from './sets.ts';
import { keyOf, keysIn, nameOf, viewsIn, type Unit } from './units.ts';

/**
 * The names of the clusters that a set of workloads was before their nodes came to know each other, the one with the most
 * keys first; none where it is one cluster. They were clusters of their own when they were read last, or they look it:
 * neither an owner nor a label has made them as one, and each has masters of its own and replicas that follow these. A
 * StatefulSet for masters and one for replicas, or one for each shard, are one cluster.
 */
export function mergedNames(units: readonly Unit[], last: LastGroups): readonly string[] {
  if (units.length < 2) return [];
  const before = new Set(units.map((unit) => last.clusterOf(keyOf(unit))));
  before.delete(undefined);
  const parts = deploymentsOf(units, last);
  if (parts.length < 2 || (before.size < 2 && !parts.every(looksLikeCluster))) return [];
  return [...parts]
    .sort((a, b) => keysIn(b) - keysIn(a))
    .map((part) => last.clusterOf(keyOf(part[0])) ?? nameOf(part));
}

/** The units that are one deployment by who made them, by what they were before, or since replicas of one follow masters of the other. */
function deploymentsOf(units: readonly Unit[], last: LastGroups): readonly (readonly [Unit, ...Unit[]])[] {
  const sets = new Sets(units.length);
  const first = new Map<string, number>();
  const masters = new Map(
    units.flatMap((unit, index) => viewsIn(unit).map(({ self }) => [self.id, index] as const)),
  );
  for (const [index, unit] of units.entries()) {
    const { clusters = [], release } = unit.kin ?? {};
    const before = last.clusterOf(keyOf(unit));
    for (const mark of [...clusters, release, before === undefined ? undefined : `before ${before}`]) {
      if (mark === undefined) continue;
      sets.join(first.get(mark) ?? index, index);
      first.set(mark, sets.find(index));
    }
    const homes = viewsIn(unit).flatMap(({ self }) => masters.get(self.masterId ?? '') ?? []);
    const away = homes.filter((home) => home !== index);
    if (before === undefined && away.length * 2 > homes.length)
      for (const home of away) sets.join(home, index);
  }
  return sets.groups().flatMap((indexes) => {
    const [one, ...others] = indexes.flatMap((index) => units[index] ?? []);
    return one === undefined ? [] : [[one, ...others] as const];
  });
}

function looksLikeCluster(units: readonly Unit[]): boolean {
  const views = units.flatMap(viewsIn);
  const masters = new Set(
    views.filter(({ replication }) => replication.role === 'master').map(({ self }) => self.id),
  );
  return masters.size > 1 && views.some(({ self }) => masters.has(self.masterId ?? ''));
}
