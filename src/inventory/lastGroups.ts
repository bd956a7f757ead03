import { History } from '../model/history.ts';
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
  /** Of the workload then; absent where its uid says nothing. */
  readonly uid?: string;
}

/** The last grouping of a namespace as it is kept until the next window: names and ids, no secret. */
export interface SavedGroups {
  readonly workloads: readonly (readonly [key: string, Before])[];
  readonly members: readonly (readonly [cluster: string, ids: readonly string[]])[];
}

/** Where groupings are kept for the windows that come after this one. */
export interface GroupStore {
  /** What was kept last; undefined where nothing was, or where it cannot be read. */
  read(context: string, namespace: string): SavedGroups | undefined;
  write(context: string, namespace: string, groups: SavedGroups): void;
}

/**
 * The grouping of one namespace's workloads into clusters as it was read last: what holds a cluster together while its
 * pods are replaced or do not know each other any more, and what tells that two clusters have become one.
 */
export class LastGroups {
  readonly #byWorkload: Map<string, Before>;
  readonly #members: Map<string, ReadonlySet<string>>;
  readonly #histories = new Map<string, History>();
  #hasChanged = false;

  constructor(saved: SavedGroups = { workloads: [], members: [] }) {
    this.#byWorkload = new Map(saved.workloads);
    this.#members = new Map(saved.members.map(([name, ids]) => [name, new Set(ids)]));
  }

  /** What to keep, where that has changed since the last call. */
  changes(): SavedGroups | undefined {
    if (!this.#hasChanged) return undefined;
    this.#hasChanged = false;
    return {
      workloads: [...this.#byWorkload],
      members: [...this.#members].map(([name, ids]) => [name, [...ids]]),
    };
  }

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

  /** What a workload's cluster was called, whatever it served. */
  nameOf(workload: string): string | undefined {
    return this.#byWorkload.get(workload)?.name;
  }

  /** The ids of the nodes that were the cluster. */
  membersOf(name: string): ReadonlySet<string> {
    return this.#members.get(name) ?? new Set();
  }

  /** Since when what is wrong with a cluster is wrong. */
  historyOf(name: string): History {
    const history = this.#histories.get(name) ?? new History();
    this.#histories.set(name, history);
    return history;
  }

  /**
   * Forgets workloads that were deleted, also where another one has its name by now.
   * @param present the uids of the workloads that exist, by their keys
   */
  forgetGone(present: ReadonlyMap<string, string | undefined>): void {
    for (const [workload, { uid }] of this.#byWorkload) {
      const now = present.get(workload);
      const isOther = uid !== undefined && now !== undefined && uid !== now;
      if (!present.has(workload) || isOther) this.#hasChanged = this.#byWorkload.delete(workload);
    }
  }

  /** @param present as for `forgetGone` */
  remember(groups: readonly GroupedWorkloads[], present: ReadonlyMap<string, string | undefined>): void {
    for (const { name, workloads, isWhole, mergedFrom } of groups) {
      if (mergedFrom.length > 0) continue;
      for (const workload of workloads) {
        const before = this.#byWorkload.get(workload);
        const wasWhole = isWhole || (before?.name === name && before.wasWhole);
        const uid = present.get(workload);
        if (before?.name === name && before.wasWhole === wasWhole && before.uid === uid) continue;
        this.#byWorkload.set(workload, { name, wasWhole, ...(uid === undefined ? {} : { uid }) });
        this.#hasChanged = true;
      }
    }
    const names = new Set([...this.#byWorkload.values()].map(({ name }) => name));
    for (const name of this.#members.keys())
      if (!names.has(name)) this.#hasChanged = this.#members.delete(name);
    this.#forgetHistories(new Set(groups.map(({ name }) => name)));
  }

  #forgetHistories(present: ReadonlySet<string>): void {
    for (const name of this.#histories.keys()) if (!present.has(name)) this.#histories.delete(name);
  }

  /** Nodes that do not answer stay members until a reading without them has others that do. */
  rememberMembers(name: string, nodes: readonly RedisNode[]): void {
    if (!nodes.some(({ view }) => view !== undefined)) return;
    const before = this.membersOf(name);
    if (before.size === nodes.length && nodes.every(({ id }) => before.has(id))) return;
    this.#members.set(name, new Set(nodes.map(({ id }) => id)));
    this.#hasChanged = true;
  }
}
