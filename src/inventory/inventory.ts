import { EventEmitter } from 'node:events';
import {
  clusterKey,
  isKubernetesRef,
  type AddressClusterRef,
  type ClusterRef,
  type KubernetesClusterRef,
} from '../model/clusterRef.ts';
import { UserError } from '../model/errors.ts';
import type { ClusterSnapshot, PodFacts, WorkloadFacts } from '../model/snapshot.ts';
import { isUnread, unreadError, unreadGroups } from '../model/unread.ts';
import type { KubernetesAccess } from '../kubernetes/kubernetesAccess.ts';
import type { ClusterDialer, Credentials } from '../redis/nodeConnection.ts';
import { AddressScope } from './addressScope.ts';
import { claimKey, claimOf, Claims, type Claim, type Release } from './claims.ts';
import { ContextReading, type ContextState, type Signing } from './contextReading.ts';
import type { NodeReader } from './nodeReader.ts';
import type { PodSignIn } from './podSignIn.ts';
import { findCluster } from './scopeState.ts';
import type { AddressSource, Changed, ContextSource, InventoryPorts } from './sources.ts';

interface AddressEntry {
  readonly source: AddressSource;
  /** Has a row of its own; one that only a command has named has none. */
  readonly isListed: boolean;
  scope?: AddressScope;
}

/**
 * One fresh snapshot per cluster that somebody needs; emits `changed` after each reading, with what was
 * read. Nothing is asked of a
 * cluster that no view, panel or operation needs.
 */
export class Inventory extends EventEmitter<{ changed: [Changed] }> {
  readonly #ports: InventoryPorts;
  readonly #contexts = new Map<string, ContextReading>();
  readonly #addresses = new Map<string, AddressEntry>();
  readonly #claims = new Claims((claim) => {
    if ('context' in claim) this.#contexts.get(claim.context)?.stop();
    else this.#addresses.get(claimKey(claim))?.scope?.stop();
  });

  constructor(ports: InventoryPorts) {
    super();
    this.#ports = ports;
  }

  /** Says which contexts exist; what is read of those that stay goes on. */
  setContexts(sources: readonly ContextSource[]): void {
    const wanted = new Map(sources.map((source) => [source.name, source]));
    for (const [name, context] of this.#contexts) {
      if (isSameContext(context.source, wanted.get(name))) continue;
      const clusters = context.clusters();
      context.dispose();
      this.#contexts.delete(name);
      this.emit('changed', { context: name, clusters });
    }
    for (const source of sources) {
      const { name: context } = source;
      if (this.#contexts.has(context)) continue;
      this.#contexts.set(context, this.#newContext(source));
      if (this.#claims.isHeld({ context })) void this.#start({ context });
      this.emit('changed', { context, clusters: new Set() });
    }
  }

  setAddresses(sources: readonly AddressSource[]): void {
    const wanted = new Map(sources.map((source) => [clusterKey(source.ref), source]));
    for (const [key, { source, isListed, scope }] of this.#addresses) {
      if (wanted.get(key)?.name === source.name && isListed) continue;
      scope?.stop();
      this.#addresses.delete(key);
      this.emit('changed', { clusters: new Set([key]) });
    }
    for (const [key, source] of wanted) {
      if (this.#addresses.has(key)) continue;
      this.#addresses.set(key, { source, isListed: true });
      if (this.#claims.isHeld(source)) void this.#start(source);
      this.emit('changed', { clusters: new Set([key]) });
    }
  }

  contexts(): readonly ContextState[] {
    return [...this.#contexts.values()].map((context) => context.state());
  }

  addressClusters(): readonly {
    readonly source: AddressSource;
    readonly snapshot: ClusterSnapshot | undefined;
  }[] {
    const listed = [...this.#addresses.values()].filter(({ isListed }) => isListed);
    return listed.map(({ source, scope }) => ({ source, snapshot: scope?.snapshot }));
  }

  /** What views call a cluster, unique among those in the tree. */
  titleOf(ref: ClusterRef): string {
    if (isKubernetesRef(ref)) return `${ref.name} (${ref.context}, ${ref.namespace})`;
    return this.#addresses.get(clusterKey(ref))?.source.name ?? ref.addresses[0] ?? '';
  }

  /** Reads a context or an address cluster for as long as the claim is held, and a little longer. */
  need(claim: Claim): Release {
    const release = this.#claims.hold(claim);
    void this.#start(claim);
    return release;
  }

  /** The last reading of a cluster, without asking anybody. */
  snapshot(ref: ClusterRef): ClusterSnapshot | undefined {
    if (!isKubernetesRef(ref)) return this.#addresses.get(clusterKey(ref))?.scope?.snapshot;
    const { scopes = [] } = this.#contexts.get(ref.context)?.state() ?? {};
    return findCluster(
      scopes.flatMap(({ clusters }) => clusters),
      ref,
    );
  }

  /** Whether the place of a cluster was read and it was not found there, such as after its deletion or under another name. */
  isGone(ref: ClusterRef): boolean {
    if (!isKubernetesRef(ref)) return !this.#addresses.has(clusterKey(ref));
    const scopes = this.#contexts
      .get(ref.context)
      ?.state()
      .scopes.filter(({ namespace }) => namespace === undefined || namespace === ref.namespace);
    if (scopes === undefined) return true;
    return scopes.some(({ read }) => read) && this.snapshot(ref) === undefined;
  }

  /**
   * A reading that began after the call, for whoever changes a cluster or draws conclusions. Throws a UserError where the
   * context or the cluster does not exist, or why no server of it could be read: no plan can be made of nothing.
   */
  async fresh(ref: ClusterRef): Promise<ClusterSnapshot> {
    const snapshot = await this.look(ref);
    if (isUnread(snapshot)) throw unreadError(snapshot);
    return snapshot;
  }

  /** As `fresh`, for whoever shows what was read: also where not a single server answered. */
  async look(ref: ClusterRef): Promise<ClusterSnapshot> {
    const release = this.need(claimOf(ref));
    try {
      if (isKubernetesRef(ref)) return await this.#context(ref.context).fresh(ref.namespace, ref.name);
      const scope = await this.#addressScope(ref);
      await scope.readFully();
      if (scope.snapshot !== undefined) return scope.snapshot;
      throw new UserError('unreachable', `${ref.addresses.join(', ')} could not be read.`);
    } finally {
      release();
    }
  }

  /**
   * Opens connections of their own for an operation. Throws a UserError where the cluster is not known, or where its servers
   * run but none could be read. Of a cluster whose pods are all stopped nothing is asked, and Kubernetes can start them.
   */
  async dialer(ref: ClusterRef): Promise<ClusterDialer> {
    const snapshot = await this.look(ref);
    const isStopped = unreadGroups(snapshot).every(({ reason }) => reason === 'pod');
    if (isUnread(snapshot) && !isStopped) throw unreadError(snapshot);
    const find = (nodeId: string): NodeReader | undefined =>
      isKubernetesRef(ref)
        ? this.#context(ref.context).reader(ref, nodeId)
        : this.#addresses.get(clusterKey(ref))?.scope?.reader(nodeId);
    const credentials = isKubernetesRef(ref)
      ? await this.#context(ref.context).credentials(snapshot)
      : await (this.#addresses.get(clusterKey(ref))?.scope ?? this.#ports.addressSource(ref)).credentials();
    return {
      credentials,
      dial: (nodeId) => {
        const reader = find(nodeId);
        if (reader !== undefined) return reader.dial(nodeId);
        throw new UserError(
          'unreachable',
          `Node ${nodeId} cannot be reached: no known pod or address leads to it.`,
        );
      },
    };
  }

  /**
   * Reads a server of a cluster with other credentials, which are kept by whoever asks. Throws a UserError
   * `sign-in-needed`, `tls` or another reason why nothing was read.
   */
  async trySignIn(ref: ClusterRef, credentials: Credentials): Promise<void> {
    const release = this.need(claimOf(ref));
    try {
      if (!isKubernetesRef(ref)) {
        await (await this.#addressScope(ref)).trySignIn(credentials);
        return;
      }
      const { workloads } = await this.look(ref);
      await this.#context(ref.context).trySignIn(signing(ref, workloads), credentials);
    } finally {
      release();
    }
  }

  /** Signs in again to all servers of a cluster that is read: what they are shown has changed. */
  async reconnect(ref: ClusterRef): Promise<void> {
    if (isKubernetesRef(ref))
      await this.#context(ref.context).reconnect(signing(ref, this.snapshot(ref)?.workloads ?? []));
    else await this.#addresses.get(clusterKey(ref))?.scope?.reconnect();
  }

  /** The Kubernetes API of a context. Throws a UserError where there is no such context or it cannot be opened. */
  access(context: string): Promise<KubernetesAccess> {
    return this.#context(context).access();
  }

  /** What a client within a pod takes to sign in to the server there. Throws what reading a Secret throws. */
  podSignIn(context: string, pod: PodFacts): Promise<PodSignIn> {
    return this.#context(context).podSignIn(pod);
  }

  /** Reads everything needed again now. */
  async refresh(): Promise<void> {
    await Promise.all([
      ...[...this.#contexts.values()].map((context) => context.readNow()),
      ...[...this.#addresses.values()].map(({ scope }) =>
        scope?.running === true ? scope.readNow() : undefined,
      ),
    ]);
  }

  dispose(): void {
    this.#claims.dispose();
    for (const context of this.#contexts.values()) context.dispose();
    for (const { scope } of this.#addresses.values()) scope?.stop();
    this.removeAllListeners();
  }

  #newContext(source: ContextSource): ContextReading {
    return new ContextReading(source, this.#ports, (clusters) => {
      this.emit('changed', { context: source.name, clusters });
    });
  }

  #context(name: string): ContextReading {
    const context = this.#contexts.get(name);
    if (context !== undefined) return context;
    const names = [...this.#contexts.keys()];
    const there =
      names.length === 0 ? 'No kubeconfig contains a context.' : `Known contexts: ${names.join(', ')}.`;
    throw new UserError('not-found', `There is no kubeconfig context "${name}". ${there}`);
  }

  async #addressScope(ref: AddressClusterRef): Promise<AddressScope> {
    const key = clusterKey(ref);
    if (!this.#addresses.has(key)) {
      // A cluster that a command names by address needs no row of its own.
      this.#addresses.set(key, { source: this.#ports.addressSource(ref), isListed: false });
    }
    await this.#start({ ref });
    const scope = this.#addresses.get(key)?.scope;
    if (scope === undefined) throw new UserError('not-found', `${ref.addresses.join(', ')} was removed.`);
    return scope;
  }

  async #start(claim: Claim): Promise<void> {
    if ('context' in claim) {
      await this.#contexts.get(claim.context)?.start();
      return;
    }
    const key = claimKey(claim);
    const entry = this.#addresses.get(key);
    if (entry === undefined) return;
    const redis = await this.#ports.redis();
    entry.scope ??= new AddressScope(entry.source, redis, () => {
      this.emit('changed', { clusters: new Set([key]) });
    });
    entry.scope.start();
  }
}

function signing({ namespace, name }: KubernetesClusterRef, workloads: readonly WorkloadFacts[]): Signing {
  return { namespace, workloads: [name, ...workloads.map((workload) => workload.name)] };
}

function isSameContext(now: ContextSource, wanted: ContextSource | undefined): boolean {
  const isSame = now.fingerprint === wanted?.fingerprint;
  return isSame && now.namespaces.join('\n') === wanted.namespaces.join('\n');
}
