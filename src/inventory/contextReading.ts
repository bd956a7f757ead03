import { clusterKey, type KubernetesClusterRef } from '../model/clusterRef.ts';
import { messageOf, UserError } from '../model/errors.ts';
import type { ClusterSnapshot, PodFacts } from '../model/snapshot.ts';
import type { KubernetesAccess } from '../kubernetes/kubernetesAccess.ts';
import type { Credentials } from '../redis/nodeConnection.ts';
import { KubernetesScope } from './kubernetesScope.ts';
import type { NodeReader } from './nodeReader.ts';
import type { PodSignIn } from './podSignIn.ts';
import { clusterIn, type ScopeState } from './scopeState.ts';
import type { ContextSource, InventoryPorts } from './sources.ts';

/** What is known of one kubeconfig context. */
export interface ContextState {
  readonly name: string;
  /** `idle` until somebody needs it. */
  readonly status: 'idle' | 'reading' | 'ready' | 'failed';
  readonly scopes: readonly ScopeState[];
  /** Why the context could not be opened or read at all. */
  readonly problem?: Error;
  /** Set where the user may not list all namespaces, so that only this one is shown. */
  readonly onlyNamespace?: string;
}

/** Whose servers are signed in to. */
export interface Signing {
  readonly namespace: string;
  readonly workloads: readonly string[];
}

/** Reads the chosen namespaces of one context while it runs. */
export class ContextReading {
  readonly source: ContextSource;
  readonly #ports: Pick<InventoryPorts, 'redis' | 'groups' | 'signedIn'>;
  readonly #onRead: (clusters: ReadonlySet<string>) => void;
  readonly #scopes = new Map<string, KubernetesScope>();
  #access: Promise<KubernetesAccess> | undefined;
  #running = false;
  #problem: Error | undefined;
  #onlyNamespace: string | undefined;

  /** @param onRead hears which clusters were read again or are gone, by `clusterKey` */
  constructor(
    source: ContextSource,
    ports: Pick<InventoryPorts, 'redis' | 'groups' | 'signedIn'>,
    onRead: (clusters: ReadonlySet<string>) => void,
  ) {
    this.source = source;
    this.#ports = ports;
    this.#onRead = onRead;
  }

  state(): ContextState {
    const scopes = [...this.#scopes.values()].map((scope) => scope.state);
    const problem =
      this.#problem ??
      (scopes.every((scope) => scope.problem !== undefined) ? scopes[0]?.problem : undefined);
    return {
      name: this.source.name,
      status: this.#status(scopes, problem),
      scopes,
      ...(problem === undefined ? {} : { problem }),
      ...(this.#onlyNamespace === undefined ? {} : { onlyNamespace: this.#onlyNamespace }),
    };
  }

  /** The clusters that are known now, by `clusterKey`. */
  clusters(): ReadonlySet<string> {
    const scopes = [...this.#scopes.values()];
    return new Set(scopes.flatMap(({ state }) => state.clusters.map(({ ref }) => clusterKey(ref))));
  }

  access(): Promise<KubernetesAccess> {
    this.#access ??= this.source.open().catch((error: unknown) => {
      this.#access = undefined;
      throw error;
    });
    return this.#access;
  }

  /** Ends when every scope has been started; never rejects: what went wrong is in the state. */
  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      this.#problem = undefined;
      const { namespaces } = this.source;
      const chosen = namespaces.length === 0 ? [undefined] : namespaces;
      await Promise.all(chosen.map((namespace) => this.#startScope(namespace)));
    } catch (error) {
      this.#running = false;
      this.#problem = error instanceof Error ? error : new Error(messageOf(error));
    }
    this.#onRead(new Set());
  }

  stop(): void {
    this.#running = false;
    for (const scope of this.#scopes.values()) scope.stop();
  }

  /** Stops and gives up the connection to the API. */
  dispose(): void {
    this.stop();
    this.#access?.then(
      (access) => {
        access.close();
      },
      () => undefined,
    );
  }

  async readNow(): Promise<void> {
    if (!this.#running && this.#problem !== undefined) return this.start();
    await Promise.all(
      [...this.#scopes.values()].filter((scope) => scope.running).map((scope) => scope.readNow()),
    );
  }

  /** A fresh reading of one cluster; a namespace outside the chosen ones is looked at for this purpose. */
  async fresh(namespace: string, name: string): Promise<ClusterSnapshot> {
    await this.start();
    if (this.#problem !== undefined) throw this.#problem;
    let scope = await this.#scopeOf(namespace);
    await scope.readFully();
    if (scope.state.namespace === undefined && isForbidden(scope.state.problem)) {
      scope = await this.#scopeOf(namespace);
      await scope.readFully();
    }
    return clusterIn(scope.state, namespace, name);
  }

  reader(ref: KubernetesClusterRef, nodeId: string): NodeReader | undefined {
    for (const scope of this.#scopes.values()) {
      const reader = scope.reader(ref, nodeId);
      if (reader !== undefined) return reader;
    }
    return undefined;
  }

  async credentials(snapshot: ClusterSnapshot): Promise<Credentials> {
    const pod = snapshot.nodes.find((node) => node.pod !== undefined)?.pod;
    if (pod === undefined) return {};
    const scope = await this.#scopeOf(pod.namespace);
    return scope.credentials(pod.workload, pod.namespace);
  }

  async podSignIn(pod: PodFacts): Promise<PodSignIn> {
    const scope = await this.#scopeOf(pod.namespace);
    return scope.podSignIn(pod);
  }

  /** Reads a server of the cluster with other credentials. Throws a UserError with the reason where that fails. */
  async trySignIn({ namespace, workloads }: Signing, credentials: Credentials): Promise<void> {
    const scope = await this.#scopeOf(namespace);
    await scope.trySignIn(namespace, workloads, credentials);
  }

  /** Signs in again to the servers of a cluster. */
  async reconnect({ namespace, workloads }: Signing): Promise<void> {
    await Promise.all([...this.#scopes.values()].map((scope) => scope.reconnect(namespace, workloads)));
  }

  /** The scope that reads a namespace; where none does, one is started for it. */
  async #scopeOf(namespace: string): Promise<KubernetesScope> {
    const all = this.#scopes.get('');
    if (all !== undefined && !isForbidden(all.state.problem)) return all;
    return this.#scopes.get(namespace) ?? (await this.#startScope(namespace));
  }

  async #startScope(namespace: string | undefined): Promise<KubernetesScope> {
    const access = await this.access();
    const key = namespace ?? '';
    const redis = await this.#ports.redis();
    const scope =
      this.#scopes.get(key) ??
      new KubernetesScope(
        access,
        namespace,
        redis,
        (clusters) => {
          this.#onScopeRead(key, clusters);
        },
        this.#ports,
      );
    this.#scopes.set(key, scope);
    scope.start();
    return scope;
  }

  /** Where all namespaces may not be listed, the context's own namespace is shown instead, and that is said. */
  #onScopeRead(key: string, clusters: ReadonlySet<string>): void {
    const scope = this.#scopes.get(key);
    if (
      key === '' &&
      scope !== undefined &&
      isForbidden(scope.state.problem) &&
      this.#onlyNamespace === undefined
    ) {
      void this.access().then(async (access) => {
        this.#onlyNamespace = access.defaultNamespace;
        scope.stop();
        this.#scopes.delete('');
        await this.#startScope(access.defaultNamespace);
      });
      return;
    }
    this.#onRead(clusters);
  }

  #status(scopes: readonly ScopeState[], problem: Error | undefined): ContextState['status'] {
    if (problem !== undefined) return 'failed';
    if (scopes.length === 0) return this.#running ? 'reading' : 'idle';
    return scopes.some((scope) => scope.read) ? 'ready' : 'reading';
  }
}

function isForbidden(problem: Error | undefined): boolean {
  return problem instanceof UserError && problem.reason === 'forbidden';
}
