import type { PodFacts, WorkloadFacts } from '../model/snapshot.ts';
import type { SignInSources } from './signInSources.ts';

/** A Kubernetes object as it is sent and received: its fields are the API's. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    /** Of an object that is received. */
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly deletionTimestamp?: string;
  };
  readonly [field: string]: unknown;
}

/** An object that controls another one. */
export interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

/** By what several workloads are seen to be one cluster; each of these texts stands for one cluster. */
export interface Kinship {
  /** Who owns the workload, and how an operator's labels call the cluster. */
  readonly clusters?: readonly string[];
  /** The cluster's name, as these say it. */
  readonly name?: string;
  /** A release and which part of it: several clusters may have it in common. */
  readonly release?: string;
  /** The release alone. */
  readonly instance?: string;
}

/** A workload whose pods look like Redis or Valkey; whether they are a cluster is for the servers to say. */
export interface Candidate {
  readonly namespace: string;
  readonly workload: WorkloadFacts;
  /** Tells a workload from an earlier one of its name; absent for pods that nobody owns: these are replaced. */
  readonly uid?: string;
  /** The object that controls the workload, as its own object says it. */
  readonly owner?: Owner;
  readonly kin?: Kinship;
  readonly pods: readonly PodFacts[];
  /**
   * Whether its pods' spec says that they form a cluster: clearly, or possibly where it is in a file only. Absent where a
   * Sentinel watches them, and where it is not even clear that they are servers.
   */
  readonly clusterSign?: 'clear' | 'possible';
  /** Where everything is that signing in to its servers takes; absent where nothing is known of its pods' spec. */
  readonly signIn?: SignInSources;
  /** The Secret with the password, where the first source that counts is one. */
  readonly passwordFrom?: SecretKey;
  /** The pods see the Secret's changes while they run. */
  readonly passwordIsMounted?: boolean;
  /** The Secret whose `ca.crt` signs the servers' certificates, where they speak TLS. */
  readonly tlsFrom?: string;
}

export interface SecretKey {
  readonly secret: string;
  readonly key: string;
}

export interface ConfigMapKey {
  readonly configMap: string;
  readonly key: string;
}

/** One pod's port as a local socket; `close` ends it and everything that goes through it. */
export interface Forward {
  /** Path of a Unix socket in a folder only this user may enter. */
  readonly path: string;
  /** It goes through a program in the pod, since only exec is allowed. */
  readonly viaExec?: boolean;
  close(): void;
}

/** What a terminal needs of a program that runs in a pod with a TTY. */
export interface ExecSession {
  write(data: string): void;
  resize(columns: number, rows: number): void;
  readonly done: Promise<{ readonly exitCode: number }>;
  close(): void;
}

/**
 * Everything the product does with one kubeconfig context. All failures are UserErrors with the context and
 * namespace named: `unreachable`, `sign-in-needed` (401, expired token), `forbidden` (403), `not-found`, `conflict`.
 */
export interface KubernetesAccess {
  readonly context: string;
  /** The namespace the context names, or `default`. */
  readonly defaultNamespace: string;
  listNamespaces(signal?: AbortSignal): Promise<readonly string[]>;
  /** Candidates of a namespace, or of all namespaces. */
  discover(namespace: string | undefined, signal?: AbortSignal): Promise<readonly Candidate[]>;
  /**
   * Watches pods and StatefulSets and calls back on each change, coalesced to at most ten calls a second. Restarts by
   * itself with back-off; `onState` says when it is stale and when it is fresh again. Returns the function that ends it.
   */
  watch(
    namespace: string | undefined,
    onChange: () => void,
    onState: (problem: Error | undefined) => void,
  ): () => void;
  forward(namespace: string, pod: string, port: number, signal?: AbortSignal): Promise<Forward>;
  readSecret(namespace: string, from: SecretKey): Promise<string | undefined>;
  /** All texts of a Secret or ConfigMap by key; undefined where it is not there. */
  readTexts(
    namespace: string,
    kind: 'secrets' | 'configmaps',
    name: string,
  ): Promise<ReadonlyMap<string, string> | undefined>;
  /** Server-side apply with this product's field owner; `force` is never used on objects of other owners. */
  apply(object: KubernetesObject, signal?: AbortSignal): Promise<void>;
  /**
   * Changes the fields that `change` names and no others (strategic merge patch: containers are told apart by name).
   * With `metadata.resourceVersion` in it, it is refused with `conflict` where somebody else was faster.
   */
  patch(
    apiVersion: string,
    kind: string,
    namespace: string,
    name: string,
    change: Readonly<Record<string, unknown>>,
    signal?: AbortSignal,
  ): Promise<KubernetesObject>;
  /** Creates and fails with `conflict` where it is there. */
  create(object: KubernetesObject, signal?: AbortSignal): Promise<void>;
  get(
    apiVersion: string,
    kind: string,
    namespace: string | undefined,
    name: string,
  ): Promise<KubernetesObject | undefined>;
  list(
    apiVersion: string,
    kind: string,
    namespace: string,
    labelSelector?: string,
  ): Promise<readonly KubernetesObject[]>;
  /**
   * True where it was there; deletes dependents in the background, or leaves them running (`Orphan`). With `uid` only
   * that very object: fails with `conflict` where another one has its name by now.
   */
  delete(
    apiVersion: string,
    kind: string,
    namespace: string,
    name: string,
    signal?: AbortSignal,
    how?: { readonly propagationPolicy?: 'Background' | 'Orphan'; readonly uid?: string },
  ): Promise<boolean>;
  /** Changes a StatefulSet's replicas through its scale sub-resource, refusing where they are no longer `from`. */
  scale(namespace: string, statefulSet: string, from: number, to: number): Promise<void>;
  /** Starts a program in a pod with a TTY. Nothing secret may stand in `command`: it is seen by everybody who sees the API's audit log. */
  exec(
    namespace: string,
    pod: string,
    container: string,
    command: readonly string[],
    onOutput: (data: string) => void,
  ): Promise<ExecSession>;
  /** Streams a container's log, from its last `tailLines` lines, until the signal is aborted. */
  logs(
    namespace: string,
    pod: string,
    container: string,
    options: { readonly tailLines: number; readonly previous?: boolean },
    onText: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Whether the signed-in user may do this (SelfSubjectAccessReview). */
  may(verb: string, resource: string, group: string, namespace: string): Promise<boolean>;
  close(): void;
}
