import type { Address } from '../../model/clusterRef.ts';
import { isWindowOver, type MoveLimits } from '../../model/moves.ts';
import type { SlotSet } from '../../model/slots.ts';
import type { ConcurrentMoves } from './concurrentMoves.ts';
import type { ClusterDialer } from '../nodeConnection.ts';

/** How slots travel: by MIGRATE key by key, or at once by the servers' own means (Redis 8.4, Valkey 9.0). */
export type MoveMethod = 'migrate' | 'redisAtomic' | 'valkeyAtomic';

/** `gentle` keeps other clients' latency low by measuring it; `fast` takes what the servers give. */
export type MovePace = 'gentle' | 'fast';

export interface MoveProgress {
  /** Those included that an earlier run had moved. */
  readonly slots: number;
  /** Those of this run only. */
  readonly movedSlots: number;
  readonly totalSlots: number;
  readonly keys: number;
  /** Memory that the moved keys take, as far as samples tell. */
  readonly bytes: number;
  readonly keysPerSecond: number;
  /** Absent as long as nothing was moved. */
  readonly secondsLeft?: number;
  /** Why nothing moves at present; absent while it does. */
  readonly paused?: string;
}

export interface MoveRequest {
  readonly dialer: ClusterDialer;
  /** Node ids of two masters. */
  readonly from: string;
  readonly to: string;
  readonly slots: SlotSet;
  /** The node ids of the masters that neither give nor take. */
  readonly otherMasters: readonly string[];
  /** The target as the source server reaches it, never as this machine does. */
  readonly targetAddress: Address;
  readonly signal: AbortSignal;
  /** All moves that run at the same time in this cluster. */
  readonly moves: ConcurrentMoves;
  /** `gentle` without it. */
  readonly pace?: MovePace;
  readonly limits?: MoveLimits;
  /** `migrate` where the servers' own way is not wanted; otherwise the best one that both ends have. */
  readonly method?: 'migrate';
  readonly onProgress?: (movedSlots: number, movedKeys: number, progress: MoveProgress) => void;
  /** How many slots are opened at once; fewer where they hold many keys. */
  readonly blockSlots?: number;
  /** How messages call a node; its id without it. */
  readonly nameOf?: (nodeId: string) => string;
}

export interface MoveResult {
  /** Slots and keys moved by this run; slots that an earlier run had moved are not counted. */
  readonly movedSlots: number;
  readonly movedKeys: number;
  /** Slots that this way of moving must not touch, closed where they were, and why; absent where there are none. */
  readonly left?: { readonly slots: SlotSet; readonly why: string };
  /** How long clients of either end had to wait at most, as far as was measured; milliseconds. */
  readonly longestWaitMs: number;
  /** The user stopped it, or the maintenance window ended; no slot is open. */
  readonly cancelled: boolean;
  readonly method: MoveMethod;
}

export function nameIn({ nameOf }: MoveRequest, id: string): string {
  return nameOf === undefined ? `node ${id}` : nameOf(id);
}

/** Whether the user or the end of the maintenance window has stopped the move. */
export function isOver({ signal, limits = {} }: MoveRequest): boolean {
  return signal.aborted || isWindowOver(limits);
}
