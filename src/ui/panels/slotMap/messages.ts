import type { ClusterRef } from '../../../model/clusterRef.ts';
import type { SlotSet } from '../../../model/slots.ts';
import type { NodeHealth } from '../../../model/snapshot.ts';

/** What the panel shows, as plain JSON: everything is decided here, the panel only draws it. */
export interface SlotMapState {
  readonly ref: ClusterRef;
  readonly name: string;
  /** Context and namespace, or the addresses. */
  readonly where: string;
  /** Milliseconds since the epoch. */
  readonly takenAt: number;
  /** `empty`: no master has a slot; `unreachable`: no node answered, so what is shown is unverified or nothing. */
  readonly standing: 'known' | 'empty' | 'unreachable';
  /** Whether another user, password or certificate may help. */
  readonly mayNeedSignIn: boolean;
  /** By first slot. */
  readonly shards: readonly ShardState[];
  readonly uncovered: SlotSet;
  readonly moving: readonly MovingSlots[];
  /** Something runs that opens slots to move them. */
  readonly openIsExpected: boolean;
  readonly contested: readonly ContestedSlots[];
  /** One sentence each, worst first. */
  readonly problems: readonly string[];
  /** What is wrong and expected, since something runs; one sentence each. */
  readonly expected: readonly string[];
  readonly running?: RunningState;
}

/** What changes the cluster now. */
export interface RunningState {
  readonly title: string;
  /** Who runs it, where it is not this window. */
  readonly holder?: string;
  /** How far it is, such as `1,200 of 5,461 slots`. */
  readonly counted?: string;
  /** From 0 to 100; absent where it is not counted or not known. */
  readonly percent?: number;
  /** What it does now. */
  readonly text?: string;
  /** Why nothing goes on at present. */
  readonly paused?: string;
  readonly canCancel: boolean;
}

export interface ShardState {
  /** The master's node id. */
  readonly id: string;
  /** The master's pod or address. */
  readonly label: string;
  /** Where peers reach the master, if the label does not say so. */
  readonly address?: string;
  /** Which colour of the palette: kept while slots move and while replicas take over. */
  readonly colour: number;
  readonly slots: SlotSet;
  readonly count: number;
  /** Keys the master holds; absent where it did not answer. */
  readonly keys?: number;
  readonly replicas: readonly { readonly name: string; readonly health: NodeHealth }[];
  /** The master's; `unknown` where nobody knows the master. */
  readonly health: NodeHealth | 'unknown';
  readonly healthText: string;
}

/** Open slots between two nodes. */
export interface MovingSlots {
  readonly slots: SlotSet;
  /** Node ids; the names are there since an end need not be a shard we know. */
  readonly from: string;
  readonly fromName: string;
  readonly to: string;
  readonly toName: string;
  /** Which ends call the slots open. One alone is normal for a moment while a slot is opened or closed. */
  readonly saidBy: 'both' | 'source' | 'target';
}

/** Slots that two masters call their own; `owner` has the higher config epoch and will keep them. */
export interface ContestedSlots {
  readonly slots: SlotSet;
  readonly owner: string;
  readonly other: string;
}

export type ToPanel =
  | { readonly type: 'state'; readonly state: SlotMapState }
  | { readonly type: 'waiting'; readonly text: string }
  /** The cluster was looked for and not found; a map that is drawn stays. */
  | { readonly type: 'gone'; readonly text: string }
  /** Goes to a slot on the map; sent after a state. */
  | { readonly type: 'goTo'; readonly slot: number };

/** The commands that the panel offers; each runs as it would from the tree, for the panel's cluster. */
export type SlotMapCommand =
  | 'redisCluster.signIn'
  | 'redisCluster.refresh'
  | 'redisCluster.check'
  | 'redisCluster.reshard'
  | 'redisCluster.cancelOperation';

export type FromPanel =
  /** The page has been loaded, for the first time or again after it was hidden, and knows nothing. */
  | { readonly type: 'ready' }
  | { readonly type: 'run'; readonly command: SlotMapCommand }
  /** Selects a master in the tree, by its node id. */
  | { readonly type: 'showInTree'; readonly node: string };
