import type { KubernetesAccess } from '../kubernetes/kubernetesAccess.ts';
import type { AddressClusterRef } from '../model/clusterRef.ts';
import type { Credentials } from '../redis/nodeConnection.ts';
import type { GroupStore } from './lastGroups.ts';
import type { RedisReading } from './nodeReader.ts';
import type { StoredSignIn } from './signIn.ts';

/** A cluster outside Kubernetes that the user named, or the sandbox. */
export interface AddressSource {
  readonly ref: AddressClusterRef;
  readonly name: string;
  readonly sandbox: boolean;
  /** What its servers ask for; read again for each connection. */
  credentials(): Promise<Credentials>;
  /** Where this machine reaches what servers announce as their address, such as through a NAT; that address if it is absent. */
  reach?(address: string): string;
}

/** A kubeconfig context as the tree's first level shows it, before anything was asked of it. */
export interface ContextSource {
  readonly name: string;
  /** Namespaces to look at; empty means all of them. */
  readonly namespaces: readonly string[];
  /** Changes when what the kubeconfig says of the context does: it is then opened again. */
  readonly fingerprint: string;
  open(): Promise<KubernetesAccess>;
}

/** What the inventory needs of the rest. */
export interface InventoryPorts {
  readonly redis: () => Promise<RedisReading>;
  /** Where the last known groupings are kept; without it they end with the window. */
  readonly groups?: GroupStore;
  /** What a person has stored for a cluster in Kubernetes: it wins over what its pods' spec says. */
  readonly signedIn?: StoredSignIn;
  /** The source of a cluster that only a command names by address. */
  readonly addressSource: (ref: AddressClusterRef) => AddressSource;
}

/** What was read again, or is gone. */
export interface Changed {
  /** The context it is of; absent where it is not in Kubernetes. */
  readonly context?: string;
  /** By `clusterKey`. */
  readonly clusters: ReadonlySet<string>;
}
