import { clusterKey, isKubernetesRef, type KubernetesClusterRef } from '../model/clusterRef.ts';
import { messageOf } from '../model/errors.ts';
import type { ClusterSnapshot, PodFacts } from '../model/snapshot.ts';
import type { Candidate, KubernetesAccess } from '../kubernetes/kubernetesAccess.ts';
import type { Credentials } from '../redis/nodeConnection.ts';
import { groupPods, type Group } from './grouping.ts';
import { LastGroups, type GroupStore } from './lastGroups.ts';
import { isLikelyCluster } from './likelyCluster.ts';
import { mergeViews } from './mergeViews.ts';
import { NodeReader, type RedisReading, type Route } from './nodeReader.ts';
import { OwnerChains } from './ownerChains.ts';
import { OperationLeases } from './operationLeases.ts';
import { pace } from './pace.ts';
import { explained, notRunning } from './podReading.ts';
import { PodRoutes } from './podRoutes.ts';
import { readRound } from './readRound.ts';
import type { PodSignIn } from './podSignIn.ts';
import { Rounds } from './rounds.ts';
import { tryRoutes, type StoredSignIn } from './signIn.ts';
import { findCluster, type ScopeState } from './scopeState.ts';
import type { Source } from './source.ts';
import { keyOf, type Unit } from './units.ts';

interface Member {
  readonly reader: NodeReader;
  candidate: Candidate;
}

/** Reads all clusters of one scope while it runs: pods by watch, servers by asking each for its own view. */
export class KubernetesScope {
  state: ScopeState;
  readonly #access: KubernetesAccess;
  readonly #leases: OperationLeases;
  readonly #redis: RedisReading;
  readonly #onRead: (clusters: ReadonlySet<string>) => void;
  readonly #members = new Map<string, Member>();
  readonly #confirmed = new Set<string>();
  readonly #routes: PodRoutes;
  readonly #owners: OwnerChains;
  readonly #kept: GroupStore | undefined;
  /** By namespace. */
  readonly #last = new Map<string, LastGroups>();
  #candidates: readonly Candidate[] = [];
  #discoveredAt = 0;
  #stale = true;
  #notBefore = 0;
  #problem: Error | undefined;
  #endWatch: (() => void) | undefined;
  readonly #rounds = new Rounds((isPatient) => this.#runRound(isPatient));

  constructor(
    access: KubernetesAccess,
    namespace: string | undefined,
    redis: RedisReading,
    onRead: (clusters: ReadonlySet<string>) => void,
    { groups, signedIn }: { readonly groups?: GroupStore; readonly signedIn?: StoredSignIn } = {},
  ) {
    this.#access = access;
    this.#kept = groups;
    this.#owners = new OwnerChains(access);
    this.#routes = new PodRoutes(access, redis, signedIn);
    this.#leases = new OperationLeases(access);
    this.#redis = redis;
    this.#onRead = onRead;
    this.state = { context: access.context, namespace, read: false, clusters: [] };
  }

  get running(): boolean {
    return this.#rounds.running;
  }

  start(): void {
    if (this.running) return;
    const changed = (): void => {
      this.#stale = true;
      void this.#rounds.readNow();
    };
    this.#endWatch = this.#access.watch(this.state.namespace, changed, (problem) => {
      // A watch that cannot be opened is reported by the listing, which says why in full.
      if (problem === undefined && this.#problem !== undefined) changed();
    });
    this.#rounds.start();
  }

  stop(): void {
    this.#endWatch?.();
    this.#endWatch = undefined;
    this.#rounds.stop();
    for (const { reader } of this.#members.values()) reader.close();
    this.#members.clear();
    this.#stale = true;
  }

  /** A round in which pods are listed and every node is asked after the call, and waited for as long as it may take. */
  readFully(): Promise<void> {
    this.#lookAgain();
    return this.#rounds.readFully();
  }

  /** Ends with a round that began after the call, in which an API and servers are asked again that have just failed. */
  readNow(): Promise<void> {
    this.#lookAgain();
    return this.#rounds.readNow();
  }

  #lookAgain(): void {
    this.#notBefore = 0;
    this.#stale = true;
  }

  /** The reader of a cluster's node. A cluster that was restored from copies of its volumes has the same node ids. */
  reader({ namespace, name }: KubernetesClusterRef, nodeId: string): NodeReader | undefined {
    const cluster = findCluster(this.state.clusters, { context: this.#access.context, namespace, name });
    const workloads = new Set(cluster?.workloads.map((workload) => workload.name));
    return [...this.#members.values()].find(
      ({ candidate, reader }) =>
        candidate.namespace === namespace &&
        workloads.has(candidate.workload.name) &&
        reader.reading.lastId === nodeId,
    )?.reader;
  }

  /** What the servers of these pods ask for. Throws what reading the Secret throws. */
  async credentials(workload: string, namespace: string): Promise<Credentials> {
    const candidate = this.#candidates.find((c) => c.workload.name === workload && c.namespace === namespace);
    return candidate === undefined ? {} : this.#routes.credentials(candidate, this.#namesFor(candidate));
  }

  /** Reads a server of these workloads with other credentials. Throws a UserError with the reason where that fails. */
  async trySignIn(namespace: string, workloads: readonly string[], given: Credentials): Promise<void> {
    const servers = this.#candidates
      .filter((candidate) => candidate.namespace === namespace && workloads.includes(candidate.workload.name))
      .flatMap((candidate) => candidate.pods.filter(canAnswer).map((pod) => ({ candidate, pod })));
    await tryRoutes(
      this.#redis,
      servers.slice(0, 3).map(
        ({ candidate, pod }) =>
          () =>
            this.#routes.open(candidate, pod, [], given),
      ),
    );
  }

  /** Signs in again to the servers of these workloads: what they are shown has changed. */
  async reconnect(namespace: string, workloads: readonly string[]): Promise<void> {
    const own = [...this.#members.values()].filter(
      ({ candidate }) => candidate.namespace === namespace && workloads.includes(candidate.workload.name),
    );
    await Promise.all(own.map(({ reader }) => reader.reconnect()));
  }

  /** What a client within a pod takes to sign in to the server there. Throws what reading a Secret throws. */
  async podSignIn({ workload, namespace }: PodFacts): Promise<PodSignIn> {
    const candidate = this.#candidates.find((c) => c.workload.name === workload && c.namespace === namespace);
    const credentials = await this.credentials(workload, namespace);
    return { credentials, tlsFiles: candidate?.signIn?.tlsFiles ?? {} };
  }

  async #runRound(isPatient: boolean): Promise<void> {
    const due = this.#stale || Date.now() - this.#discoveredAt > pace.discoverEveryMs;
    if (due && Date.now() >= this.#notBefore) await this.#discover();
    const readers = [...this.#members.values()].map(({ reader }) => reader);
    await readRound(readers, isPatient);
    // After the servers: an operation that began before they were asked has its Lease by now.
    await this.#leases.read(this.#clusterNames(), isPatient);
    const before = this.state.clusters;
    this.state = {
      context: this.#access.context,
      namespace: this.state.namespace,
      read: true,
      clusters: this.#snapshots(),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    };
    this.#onRead(new Set([...before, ...this.state.clusters].map(({ ref }) => clusterKey(ref))));
  }

  async #discover(): Promise<void> {
    this.#stale = false;
    try {
      const found = await this.#access.discover(this.state.namespace);
      await this.#owners.read(found);
      this.#candidates = found;
      this.#discoveredAt = Date.now();
      this.#problem = undefined;
      this.#keepReaders();
    } catch (error) {
      this.#stale = true;
      this.#notBefore = Date.now() + pace.apiRetryMs;
      this.#problem = error instanceof Error ? error : new Error(messageOf(error));
    }
  }

  /** One reader for each pod whose server may answer; those of pods that are gone end. */
  #keepReaders(): void {
    const present = new Set<string>();
    for (const candidate of this.#candidates) {
      for (const pod of candidate.pods) {
        if (!canAnswer(pod)) continue;
        const key = `${pod.uid}/${pod.ip ?? ''}`;
        present.add(key);
        const member = this.#members.get(key);
        if (member !== undefined) {
          member.candidate = candidate;
          member.reader.retryNow();
          continue;
        }
        const open = (): Promise<Route> => this.#routes.open(candidate, pod, this.#namesFor(candidate));
        this.#members.set(key, { candidate, reader: new NodeReader(this.#redis, open) });
      }
    }
    for (const [key, { reader }] of this.#members) {
      if (present.has(key)) continue;
      reader.close();
      this.#members.delete(key);
    }
  }

  /** What the cluster of a candidate is or was called, and what it may be called once more of it is read. */
  #namesFor({ namespace, workload, kin }: Candidate): readonly string[] {
    const cluster = this.state.clusters.find(
      ({ ref, workloads }) =>
        isKubernetesRef(ref) &&
        ref.namespace === namespace &&
        workloads.some(({ name }) => name === workload.name),
    );
    const before = this.#lastOf(namespace).nameOf(keyOf({ workload, sources: [] }));
    const others = cluster?.workloads.map(({ name }) => name) ?? [];
    const names = [cluster?.name, before, kin?.name, workload.name, ...others];
    return [...new Set(names.filter((name) => name !== undefined))];
  }

  #snapshots(): readonly ClusterSnapshot[] {
    const byNamespace = Map.groupBy(this.#candidates, (candidate) => candidate.namespace);
    return [...byNamespace].flatMap(([namespace, candidates]) => {
      const last = this.#lastOf(namespace);
      const units = candidates.map((candidate): Unit => ({
        ...candidate,
        sources: this.#sources(candidate),
        owners: this.#owners.of(candidate),
      }));
      const snapshots = groupPods(units, last)
        .filter((group) => this.#isCluster(namespace, group, last))
        .map((group) => this.#snapshot(namespace, group, last));
      const changes = last.changes();
      if (changes !== undefined) this.#kept?.write(this.#access.context, namespace, changes);
      return snapshots;
    });
  }

  #lastOf(namespace: string): LastGroups {
    const known = this.#last.get(namespace);
    if (known !== undefined) return known;
    const last = new LastGroups(this.#kept?.read(this.#access.context, namespace));
    this.#last.set(namespace, last);
    return last;
  }

  #sources({ pods }: Candidate): readonly Source[] {
    return pods.map((pod) => {
      const reading = this.#members.get(`${pod.uid}/${pod.ip ?? ''}`)?.reader.reading;
      return { pod, reading: reading === undefined ? notRunning(pod) : explained(reading, pod) };
    });
  }

  /** Confirmed by a server once, perhaps in an earlier window, ours, or likely to be a cluster while no server answers. */
  #isCluster(namespace: string, group: Group, last: LastGroups): boolean {
    const { name, sources, workloads } = group;
    const key = `${namespace}/${name}`;
    const isRead = sources.some(({ reading }) => reading.view !== undefined);
    if (isRead || last.membersOf(name).size > 0) this.#confirmed.add(key);
    if (this.#confirmed.has(key) || workloads.some((workload) => workload.bundled)) return true;
    return isLikelyCluster(
      group,
      this.#candidates.filter(({ workload }) => workloads.includes(workload)),
    );
  }

  /** By namespace, the names of the clusters that were there in the last round or may be now. */
  #clusterNames(): ReadonlyMap<string, readonly string[]> {
    const byNamespace = Map.groupBy(this.#candidates, ({ namespace }) => namespace);
    const known = this.state.clusters.map(({ ref }) => ref).filter(isKubernetesRef);
    return new Map(
      [...byNamespace].map(([namespace, candidates]) => [
        namespace,
        [
          ...candidates.map(({ workload }) => workload.name),
          ...known.filter((ref) => ref.namespace === namespace).map(({ name }) => name),
        ],
      ]),
    );
  }

  #snapshot(
    namespace: string,
    { name, sources, workloads, mergedFrom }: Group,
    last: LastGroups,
  ): ClusterSnapshot {
    const ref = { context: this.#access.context, namespace, name };
    const apiProblem = this.#problem?.message;
    const merged = mergeViews(sources, { known: last.membersOf(name), mergedFrom });
    last.rememberMembers(name, merged.nodes);
    const running = this.#leases.on(namespace, name);
    return {
      ref,
      name,
      takenAt: Date.now(),
      workloads,
      history: last.historyOf(name),
      ...merged,
      ...(running === undefined ? {} : { running }),
      ...(apiProblem === undefined ? {} : { apiProblem }),
    };
  }
}

/** Whether a pod's server may answer: while another container's image is pulled, the pod is Pending and its server runs. */
function canAnswer({ ip, phase, running }: PodFacts): boolean {
  return ip !== undefined && (phase === 'Running' || running === true);
}
