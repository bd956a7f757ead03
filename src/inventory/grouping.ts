import type { WorkloadFacts } from '../model/snapshot.ts';
import { Sets } from './sets.ts';
import { isLonely, type Source } from './source.ts';

/** One pod of one candidate workload, with what its server said. */
export interface PodSource extends Source {
  readonly workload: WorkloadFacts;
}

/** Pods that are one cluster, and the workloads they belong to. */
export interface Group {
  readonly name: string;
  readonly sources: readonly PodSource[];
  readonly workloads: readonly WorkloadFacts[];
}

/**
 * Groups the pods of one namespace into clusters: nodes that know each other are one cluster, whatever owns their
 * pods; pods that do not answer or have not joined go with the rest of their workload.
 */
export function groupPods(sources: readonly PodSource[]): readonly Group[] {
  const sets = new Sets(sources.length);
  joinAcquainted(sources, sets);
  joinWorkloads(sources, sets);
  const groups = Map.groupBy(sources.keys(), (index) => sets.find(index));
  const named = new Set<string>();
  return [...groups.values()].map((indexes) => {
    const own = indexes.flatMap((index) => sources[index] ?? []);
    const workloads = [...new Map(own.map((source) => [source.workload.name, source.workload])).values()];
    return { name: uniqueName(workloads, named), sources: own, workloads };
  });
}

function joinAcquainted(sources: readonly PodSource[], sets: Sets): void {
  const byId = new Map<string, number>();
  const silentByIp = new Map<string, number>();
  sources.forEach(({ reading, pod }, index) => {
    if (reading.view !== undefined) byId.set(reading.view.self.id, index);
    else if (pod?.ip !== undefined) silentByIp.set(pod.ip, index);
  });
  sources.forEach(({ reading }, index) => {
    for (const line of reading.view?.others ?? []) {
      const other = byId.get(line.id) ?? silentByIp.get(line.host);
      if (other !== undefined) sets.join(index, other);
    }
  });
}

/** Pods of a workload that no member vouches for go with the workload's largest set of members. */
function joinWorkloads(sources: readonly PodSource[], sets: Sets): void {
  for (const indexes of Map.groupBy(sources.keys(), (index) => sources[index]?.workload.name).values()) {
    const members = indexes.filter((index) => {
      const view = sources[index]?.reading.view;
      return view !== undefined && !isLonely(view);
    });
    const bySet = [...Map.groupBy(members, (index) => sets.find(index)).values()];
    const home = bySet.sort((a, b) => b.length - a.length)[0]?.[0] ?? indexes[0];
    if (home === undefined) continue;
    const settled = new Set(members);
    for (const index of indexes) if (!settled.has(index)) sets.join(home, index);
  }
}

function uniqueName(workloads: readonly WorkloadFacts[], taken: Set<string>): string {
  const base = commonName(workloads.map((workload) => workload.name));
  let name = base;
  for (let count = 2; taken.has(name); count++) name = `${base}-${count}`;
  taken.add(name);
  return name;
}

/** The StatefulSet's name, or what the names of several have in common: `shop-leader`, `shop-follower` → `shop`. */
export function commonName(names: readonly string[]): string {
  const [first = 'cluster', ...rest] = [...names].sort();
  let length = first.length;
  for (const name of rest) while (!name.startsWith(first.slice(0, length))) length -= 1;
  if (rest.length === 0) return first;
  return first.slice(0, length).replace(/[-.]+$/, '') || first;
}
