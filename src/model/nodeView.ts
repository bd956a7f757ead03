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
  /** Differs for each start of each server: two servers with the same node id have different ones. */
  readonly runId?: string;
  readonly loading: boolean;
  /** Keys in all databases (INFO keyspace). */
  readonly keys: number;
  readonly usedMemoryBytes: number;
  /** 0 means no limit. */
  readonly maxMemoryBytes: number;
  /** Of the used memory what does not count for that limit: buffers for replicas and for the append-only file. */
  readonly uncountedMemoryBytes: number;
  /** What a server does at that limit; `noeviction`: it refuses writes. */
  readonly evictionPolicy: string;
  readonly persistence: PersistenceView;
  readonly uptimeSeconds: number;
  readonly replication: ReplicationView;
  /** What the server does not let this user ask; what it would have said is unknown and stands here as 0 or empty. */
  readonly denied?: readonly DeniedQuestion[];
}

/** A command of a reading that an ACL denies or that is renamed. */
export interface DeniedQuestion {
  readonly command: string;
  /** What it reports, as part of a sentence. */
  readonly says: string;
  /** The server's own words. */
  readonly reply: string;
}

/** How the last attempts to put data on disk went; an attempt that was never made counts as well. */
interface PersistenceView {
  /** The append-only file is off, keys were written, and no snapshot was saved since the server started. */
  readonly neverSaved?: boolean;
  /** `false`: commands that write are refused (MISCONF) until it succeeds again, tried each second. */
  readonly appendOnlyWritten: boolean;
  /** `false`: the append-only file goes on growing. */
  readonly appendOnlyRewritten: boolean;
  readonly snapshotSaved: boolean;
}

export interface ReplicationView {
  readonly role: 'master' | 'replica';
  /** A master's or replica's own replication offset, in bytes. */
  readonly offset: number;
  /** Replicas only: whether the link to the master is up, and whether a full sync is under way. */
  readonly linkUp?: boolean;
  /** Replicas only: the address at which they look for their master. */
  readonly masterHost?: string;
  readonly syncing?: boolean;
  /** Of that full sync: what has arrived. */
  readonly receivedBytes?: number;
  /** Masters only: the replicas attached, with the offset each has acknowledged. */
  readonly replicas: readonly {
    readonly host: string;
    readonly port: number;
    readonly offset: number;
    readonly online: boolean;
  }[];
}

/** What INFO says of a server; undefined where the server was not read or denies INFO: its keys are unknown then, not 0. */
export function withInfo(view: NodeView | undefined): NodeView | undefined {
  return view?.denied?.some(({ command }) => command === 'INFO') === true ? undefined : view;
}
