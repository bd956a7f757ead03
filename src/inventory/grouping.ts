import { linesIn } from '../model/internedNodes.ts';
import type { KnownNode } from '../model/nodeView.ts';
import type { WorkloadFacts } from '../model/snapshot.ts';
import type { LastGroups } from './lastGroups.ts';
import { mergedNames } from './merged.ts';
import { Sets } from './sets.ts';
import { isAt, isNamed, type Source } from './source.ts';
import { isWhole, keyOf, keysIn, nameOf, ownNames, viewsIn, type Unit } from './units.ts';

/** A workload with fewer pods is no cluster of its own. */
const fewestMasters = 3;

/** Pods that are one cluster, and the workloads they belong to. */
export interface Group {
  readonly name: string;
  readonly sources: readonly Source[];
  readonly workloads: readonly WorkloadFacts[];
  /** The names of the clusters whose nodes have come to know each other. */
  readonly mergedFrom: readonly string[];
}

/**
 * Groups the pods of one namespace into clusters: pods of one workload, workloads whose nodes know each other, workloads
 * that one operator or release has made as one cluster, and those that were one when they were read last. Two clusters
 * that serve all slots each and do not know each other stay two, whoever made them.
 */
export function groupPods(units: readonly Unit[], last: LastGroups): readonly Group[] {
  const present = new Map(units.map((unit) => [keyOf(unit), unit.uid]));
  last.forgetGone(present);
  const sets = new Sets(units.length);
  joinConnected(units, sets);
  joinSilent(units, sets);
  joinAll(units, sets, last.together());
  joinAll(units, sets, kinsIn(units));
  const taken = new Set<string>();
  const clusters = sets.groups().map((indexes) => indexes.flatMap((index) => units[index] ?? []));
  const shared = sharedNames(clusters);
  const groups = clusters
    .sort((a, b) => keysIn(b) - keysIn(a))
    .map((own) => {
      const mergedFrom = mergedNames(own, last);
      return {
        name: uniqueName(mergedFrom[0] ?? keptName(own, last) ?? nameOf(own, shared), taken),
        ...{ own, mergedFrom },
        isWhole: isWhole(own),
      };
    });
  last.remember(
    groups.map(({ own, ...group }) => ({ ...group, workloads: own.map(keyOf) })),
    present,
  );
  return groups.map(({ name, own, mergedFrom }) => ({
    ...{ name, mergedFrom },
    sources: own.flatMap((unit) => unit.sources),
    workloads: own.map(({ workload }) => workload),
  }));
}

/**
 * Workloads whose nodes list each other. A line of a node that is gone, of which the other side knows nothing, is what is
 * left of an earlier connection: an id that was forgotten on one side only, or a server that was reset.
 */
function joinConnected(units: readonly Unit[], sets: Sets): void {
  if (units.length < 2) return;
  const byId = new Map(
    units.flatMap((unit, index) => viewsIn(unit).map(({ self }) => [self.id, index] as const)),
  );
  const oneSided = new Set<string>();
  for (const [index, unit] of units.entries()) {
    for (const { others } of viewsIn(unit)) {
      for (const { id, flags } of others) {
        const other = byId.get(id);
        if (other === undefined || other === index) continue;
        const isGone = flags.includes('fail') || flags.includes('noaddr');
        oneSided.add(`${index} ${other}`);
        if (!isGone || oneSided.has(`${other} ${index}`)) sets.join(index, other);
      }
    }
  }
}

/** Workloads of which no pod answers go where the node ids of their pods are listed, or else their names or addresses. */
function joinSilent(units: readonly Unit[], sets: Sets): void {
  if (units.length < 2) return;
  const lines = units.map((unit) => linesIn(viewsIn(unit)));
  for (const [index, unit] of units.entries()) {
    if (lines[index]?.size !== 0 || viewsIn(unit).length > 0) continue;
    const home = lines.findIndex((told) =>
      [...told].some((line) => unit.sources.some((source) => isListed(source, line))),
    );
    if (home !== -1) sets.join(home, index);
  }
}

/** The address of a node that its peers call failed may be another pod's by now. */
function isListed(source: Source, line: KnownNode): boolean {
  if (source.reading.lastId !== undefined) return source.reading.lastId === line.id;
  return isNamed(source, line) || (isAt(source, line) && !line.flags.includes('fail'));
}

/** Joins workloads that belong together, unless that would make one of two whole clusters. */
function joinAll(units: readonly Unit[], sets: Sets, families: readonly (readonly string[])[]): void {
  const byKey = new Map(units.map((unit, index) => [keyOf(unit), index]));
  for (const family of families) {
    const indexes = family.flatMap((key) => byKey.get(key) ?? []);
    const roots = [...new Set(indexes.map((index) => sets.find(index)))];
    const whole = roots.filter((root) => isWhole(units.filter((_, index) => sets.find(index) === root)));
    if (roots.length < 2 || whole.length > 1) continue;
    const [first = 0, ...others] = roots;
    for (const root of others) sets.join(first, root);
  }
}

/**
 * Workloads that have an owner or a label in common; those of one release, or of one owner's owner, only where they are
 * too small to be clusters.
 */
function kinsIn(units: readonly Unit[]): readonly (readonly string[])[] {
  const above = ownersAbove(units);
  const named = units.flatMap((unit) => {
    const { clusters = [], release } = unit.kin ?? {};
    const isSmall = unit.workload.replicas < fewestMasters;
    const owner = above.get(unit);
    return [...clusters, ...(isSmall ? [release, owner] : [])].flatMap((kin) =>
      kin === undefined ? [] : [[kin, keyOf(unit)] as const],
    );
  });
  return [...Map.groupBy(named, ([kin]) => kin).values()].map((family) => family.map(([, key]) => key));
}

/**
 * For each workload the lowest of its owners that has others below it too. Higher ones may own several clusters, and are
 * not looked at.
 */
function ownersAbove(units: readonly Unit[]): ReadonlyMap<Unit, string> {
  const counts = new Map<string, number>();
  for (const { owners = [] } of units)
    for (const owner of owners) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  return new Map(
    units.flatMap((unit) => {
      const lowest = unit.owners?.find((owner) => (counts.get(owner) ?? 0) > 1);
      return lowest === undefined ? [] : [[unit, `owner ${lowest}`] as const];
    }),
  );
}

/** What several workloads were called while they served all slots: their owner may be gone by now. */
function keptName(units: readonly Unit[], last: LastGroups): string | undefined {
  const before = new Set(units.flatMap((unit) => last.clusterOf(keyOf(unit)) ?? []));
  const [name] = before;
  return units.length > 1 && before.size === 1 ? name : undefined;
}

/** Names by which more than one cluster could be called: one tenant's, one release's. */
function sharedNames(clusters: readonly (readonly Unit[])[]): ReadonlySet<string> {
  const names = clusters.flatMap((units) => [...new Set(ownNames(units))]);
  return new Set(names.filter((name, index) => names.indexOf(name) !== index));
}

function uniqueName(base: string, taken: Set<string>): string {
  let name = base;
  for (let count = 2; taken.has(name); count++) name = `${base}-${count}`;
  taken.add(name);
  return name;
}
