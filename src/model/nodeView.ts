import type { SlotSet } from './slots.ts';

/** One line of CLUSTER NODES: what one node says of itself or of another. */
export interface KnownNode {
  readonly id: string;
  /** Empty where the line has no address (`:0@0`, flag `noaddr`). */
  readonly host: string;
  readonly port: number;
  readonly busPort: number;
  readonly hostname?: string;
  /** Without `myself`: master, slave, fail, fail?, handshake, noaddr, nofailover, noflags. */
  readonly flags: readonly string[];
  readonly masterId?: string;
  readonly configEpoch: number;
  readonly linkState: 'connected' | 'disconnected';
  readonly slots: SlotSet;
  /** Open slots; CLUSTER NODES says them only on the `myself` line. */
  readonly migrating: readonly OpenSlot[];
  readonly importing: readonly OpenSlot[];
}

export interface OpenSlot {
  readonly slot: number;
  /** The other end of the migration, as this node names it. */
  readonly nodeId: string;
}

/** Everything one server said when asked for its own view: CLUSTER NODES, CLUSTER INFO and INFO in one round trip. */
export interface NodeView {
  readonly self: KnownNode;
  readonly others: readonly KnownNode[];
  readonly clusterState: 'ok' | 'fail';
  readonly slotsAssigned: number;
  readonly currentEpoch: number;
  readonly product: 'redis' | 'valkey';
  readonly version: string;
  readonly loading: boolean;
  /** Keys in all databases (INFO keyspace). */
  readonly keys: number;
  readonly usedMemoryBytes: number;
  /** 0 means no limit. */
  readonly maxMemoryBytes: number;
  readonly uptimeSeconds: number;
  readonly replication: ReplicationView;
}

export interface ReplicationView {
  readonly role: 'master' | 'replica';
  /** A master's or replica's own replication offset, in bytes. */
  readonly offset: number;
  /** Replicas only: whether the link to the master is up, and whether a full sync is under way. */
  readonly linkUp?: boolean;
  readonly syncing?: boolean;
  /** Masters only: the replicas attached, with the offset each has acknowledged. */
  readonly replicas: readonly {
    readonly host: string;
    readonly port: number;
    readonly offset: number;
    readonly online: boolean;
  }[];
}
