import type * as vscode from 'vscode';
import type { AddressClusterRef, ClusterRef } from '../model/clusterRef.ts';
import type * as kubernetesEntry from '../kubernetes/entry.ts';
import type * as redisEntry from '../redis/entry.ts';
import type * as sandboxEntry from '../sandbox/startSandbox.ts';
import type { RedisReading } from '../inventory/nodeReader.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { JournalPorts } from '../operations/run/journal.ts';
import type { Documents } from './documents.ts';
import type { ClusterStatusBar } from './health/statusBar.ts';
import type { Operations } from './run/operations.ts';
import type { Passwords } from './passwords.ts';
import type { GroupingChoice } from './tree/groupingChoice.ts';
import type { ClusterTree } from './tree/clusterTree.ts';
import type { UnfinishedOperations } from './run/unfinishedOperations.ts';

/** The adapters, loaded on first use. */
export interface Adapters {
  readonly redis: () => Promise<typeof redisEntry>;
  /** Short questions to servers, with short time limits. */
  readonly reading: () => Promise<RedisReading>;
  readonly kubernetes: () => Promise<typeof kubernetesEntry>;
  readonly sandbox: () => Promise<typeof sandboxEntry>;
}

/** The sandbox that runs now, if any. */
export interface Sandbox {
  readonly ref: AddressClusterRef | undefined;
  /** @param signal gives up, and leaves nothing running */
  readonly start: (signal: AbortSignal) => Promise<AddressClusterRef>;
  /** False where none was running. */
  readonly stop: () => Promise<boolean>;
}

/** Everything a command may use; extension.ts makes it. */
export interface Parts {
  readonly extensionUri: vscode.Uri;
  readonly inventory: Inventory;
  readonly adapters: Adapters;
  readonly tree: ClusterTree;
  readonly statusBar: ClusterStatusBar;
  readonly grouping: GroupingChoice;
  readonly operations: Operations;
  readonly documents: Documents;
  readonly passwords: Passwords;
  readonly sandbox: Sandbox;
  readonly unfinished: UnfinishedOperations;
  /** Where operations are written down while they run. */
  readonly journals: JournalPorts;
  readonly log: vscode.LogOutputChannel;
  /** Ends when kubeconfigs and settings have been read for the first time. */
  readonly sourcesReady: () => Promise<void>;
  /** Reads kubeconfigs and settings again. */
  readonly reloadSources: () => Promise<void>;
  /** @param slot goes to it on the map */
  readonly openSlotMap: (ref: ClusterRef, slot?: number) => Promise<void>;
}
