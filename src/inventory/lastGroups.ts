import type { RedisNode } from '../model/snapshot.ts';

/** A cluster as it was grouped: its name, the keys of its workloads and whether it served all slots by itself. */
export interface GroupedWorkloads {
  readonly name: string;
  readonly workloads: readonly string[];
  readonly isWhole: boolean;
  /** Clusters whose nodes have come to know each other: they stay what they were before. */
  readonly mergedFrom: readonly string[];
}

interface Before {
  readonly name: string;
  /** Once it served all slots by itself. */
  readonly wasWhole: boolean;
}

/**
 * The grouping of one namespace's workloads into clusters as it was read last: what holds a cluster together while its
 * pods are replaced or do not know each other any more, and what tells that two clusters have become one.
 */
export class LastGroups {
  readonly #byWorkload = new Map<string, Before>();
  readonly #members = new Map<string, ReadonlySet<string>>();

  /** Sets of workloads that were one cluster. */
  together(): readonly (readonly string[])[] {
    const names = Map.groupBy(this.#byWorkload, ([, { name }]) => name);
    return [...names.values()].map((entries) => entries.map(([workload]) => workload));
  }

  /** The cluster that a workload belonged to, where that served all slots by itself. */
  clusterOf(workload: string): string | undefined {
    const before = this.#byWorkload.get(workload);
    return before?.wasWhole === true ? before.name : undefined;
  }

  /** The ids of the nodes that were the cluster. */
  membersOf(name: string): ReadonlySet<string> {
    return this.#members.get(name) ?? new Set();
  }

  /** @param present the workloads that exist: those that were deleted are forgotten */
  remember(groups: readonly GroupedWorkloads[], present: ReadonlySet<string>): void {
    for (const { name, workloads, isWhole, mergedFrom } of groups) {
      if (mergedFrom.length > 0) continue;
      for (const workload of workloads) {
        const before = this.#byWorkload.get(workload);
        const wasWhole = isWhole || (before?.name === name && before.wasWhole);
        this.#byWorkload.set(workload, { name, wasWhole });
      }
    }
    for (const workload of this.#byWorkload.keys()) {
      if (!present.has(workload)) this.#byWorkload.delete(workload);
    }
  }

  /** Nodes that do not answer stay members until a reading without them has others that do. */
  rememberMembers(name: string, nodes: readonly RedisNode[]): void {
    const answering = nodes.flatMap(({ id, view }) => (view === undefined ? [] : [id]));
    if (answering.length > 0) this.#members.set(name, new Set(nodes.map(({ id }) => id)));
  }
}
