import * as vscode from 'vscode';
import {
  clusterKey,
  formatAddress,
  parseAddress,
  type AddressClusterRef,
  type ClusterRef,
} from './model/clusterRef.ts';
import type { ClusterSnapshot } from './model/snapshot.ts';
import { claimOf } from './inventory/claims.ts';
import { Inventory } from './inventory/inventory.ts';
import type { Changed } from './inventory/sources.ts';
import type { RedisReading } from './inventory/nodeReader.ts';
import { signInRefs } from './inventory/signIn.ts';
import type * as commandsEntry from './ui/allCommands.ts';
import { followTree, setContextKey } from './ui/contextKeys.ts';
import type { Documents } from './ui/documents.ts';
import { keptGroups } from './ui/keptGroups.ts';
import { notifyUnhealthy } from './ui/health/notifyUnhealthy.ts';
import { ClusterStatusBar } from './ui/health/statusBar.ts';
import type { JournalStore } from './operations/run/journal.ts';
import { Operations } from './ui/run/operations.ts';
import { openSlotMap, restoreSlotMap, type SlotMapSource } from './ui/panels/slotMap/slotMapPanel.ts';
import type { Adapters, Parts } from './ui/parts.ts';
import { passwordsIn } from './ui/passwords.ts';
import { commandRuns, type CommandRuns } from './ui/run/commandRuns.ts';
import { createSandbox } from './ui/sandbox.ts';
import { onSettingsChanged, readSettings } from './ui/settings.ts';
import { addressSource, Sources } from './ui/sources.ts';
import type { ClusterWork } from './ui/tree/clusterRow.ts';
import { ClusterTree } from './ui/tree/clusterTree.ts';
import { GroupingChoice } from './ui/tree/groupingChoice.ts';
import type { ClusterView } from './ui/tree/clusterView.ts';
import { offerUnfinished } from './ui/run/offerUnfinished.ts';
import { UnfinishedOperations } from './ui/run/unfinishedOperations.ts';
import { waiting } from './ui/run/waiting.ts';

/** What the adapters allow a server for its answer, in ms: readings are short, so that a dead node is seen at once. */
const readingTimes = { connectTimeoutMs: 2_500, commandTimeoutMs: 2_500, mostReplyBytes: 32 * 1024 * 1024 };
/** An operation's commands may take as long as a MIGRATE, which is given up at 60 % of the cluster's node timeout. */
const operationTimes = { connectTimeoutMs: 10_000, commandTimeoutMs: 60_000 };

/** VS Code waits five seconds for a window that closes; a safe point is usually reached within two. */
const safePointLimitMs = 4_500;

/** What VS Code was given when it started. */
interface Given {
  readonly view: ClusterView;
  readonly documents: Documents;
  readonly journals: JournalStore;
}

/** All of the product, running in a window. */
export interface Assembled {
  readonly tree: ClusterTree;
  readonly run: CommandRuns['run'];
  /** @param state what its page stored last */
  readonly restoreSlotMap: (panel: vscode.WebviewPanel, state: unknown) => void;
  /** Stops what runs at its next safe point, then all connections. */
  readonly end: () => Promise<void>;
}

/** Makes the parts and hands them to each other. No server and no API is asked anything before a view needs it. */
export function assemble(
  context: vscode.ExtensionContext,
  { view, documents, journals: store }: Given,
): Assembled {
  const log = vscode.window.createOutputChannel('Redis Cluster', { log: true });
  const adapters: Adapters = {
    redis: loadRedis,
    reading: readWithRedis,
    kubernetes: () => import('./kubernetes/entry.ts'),
    sandbox: () => import('./sandbox/startSandbox.ts'),
  };
  const passwords = passwordsIn(context.secrets);
  const inventory: Inventory = new Inventory({
    redis: readWithRedis,
    groups: keptGroups(context.globalState),
    signedIn: (ref) => passwords.stored(ref),
    addressSource: (ref) => addressSource(ref, passwords),
  });
  const sandbox = createSandbox(
    adapters,
    givenSandbox(),
    (line) => {
      log.info(line);
    },
    () => {
      setContextKey('hasSandbox', sandbox.ref !== undefined);
      void sources.reload();
    },
  );
  const sources: Sources = new Sources(
    adapters,
    inventory,
    passwords,
    () => sandbox,
    () => {
      tree.redraw();
    },
  );
  const operations = new Operations();
  const journals = {
    store,
    clock: () => Date.now(),
    delay: waiting.delay,
  };
  const unfinished = new UnfinishedOperations(journals);
  const workOn = (snapshot: ClusterSnapshot): ClusterWork => {
    const own = operations.running(snapshot.ref);
    const all = operations.workOn(snapshot);
    const left = unfinished
      .of(snapshot.ref)
      .map(({ id, end, steps, title, lastAt }) => ({ id, end, title, lastAt, ...(steps && { steps }) }));
    const isSignedIn = signInRefs(snapshot).some((ref) => passwords.has(ref));
    return { ...(own === undefined ? {} : { own }), all, unfinished: left, isSignedIn };
  };
  const grouping = new GroupingChoice(context.globalState);
  const tree = new ClusterTree(view, inventory, () => ({
    contexts: inventory.contexts(),
    addressClusters: inventory.addressClusters(),
    kubeconfigProblems: sources.problems,
    grouping: grouping.chosen,
    guards: readSettings().guards,
    work: workOn,
  }));
  operations.on('changed', () => {
    tree.redraw();
    tree.showBadge(operations.count);
    setContextKey('hasOperation', operations.count > 0);
  });
  unfinished.on('changed', () => {
    tree.redraw();
    setContextKey('hasUnfinished', unfinished.count > 0);
  });
  const statusBar = new ClusterStatusBar(inventory, tree, context.workspaceState, () => sources.ready());
  const slotMap = (ref: ClusterRef): SlotMapSource => ({
    ...slotMapSource(context.extensionUri, inventory, operations, ref),
    work: workOn,
    showInTree: (nodeId) => tree.reveal(ref, nodeId),
  });
  const parts: Parts = {
    extensionUri: context.extensionUri,
    inventory,
    adapters,
    tree,
    statusBar,
    operations,
    grouping,
    documents,
    passwords,
    sandbox,
    unfinished,
    journals,
    log,
    sourcesReady: () => sources.ready(),
    reloadSources: () => sources.reload(),
    openSlotMap: async (ref, slot) => {
      // What was read last is shown at once; the panel itself sees to it that it is read again.
      if (inventory.snapshot(ref) === undefined) await inventory.look(ref);
      await openSlotMap(slotMap(ref), slot);
    },
  };
  const commands = commandRuns(parts, loadCommands);
  context.subscriptions.push(
    tree,
    statusBar,
    followTree(tree, () => sources.isRead),
    notifyUnhealthy(tree),
    commands,
    onSettingsChanged(() => void sources.reload()),
  );
  if (sandbox.ref !== undefined) setContextKey('hasSandbox', true);
  tree.whenVisible(() => void sources.ready());
  void offerUnfinished(parts, loadCommands);
  return {
    tree,
    run: commands.run,
    restoreSlotMap: (panel, state) => {
      restoreSlotMap(panel, state, slotMap);
    },
    // VS Code disposes subscriptions meanwhile: what operations need to get to a safe point is not among them.
    end: async () => {
      await operations.close(safePointLimitMs);
      sources.dispose();
      inventory.dispose();
      await sandbox.stop();
      log.dispose();
    },
  };
}

const loadCommands = (): Promise<typeof commandsEntry> => import('./ui/allCommands.ts');

const loadRedis: Adapters['redis'] = () => import('./redis/entry.ts');

async function readWithRedis(): Promise<RedisReading> {
  const { connectNode, readNodeView } = await loadRedis();
  return {
    connectNode: (endpoint, credentials) => connectNode(endpoint, credentials, readingTimes),
    connectPatiently: (endpoint, credentials) => connectNode(endpoint, credentials, operationTimes),
    readNodeView,
  };
}

function slotMapSource(
  extensionUri: vscode.Uri,
  inventory: Inventory,
  operations: Operations,
  ref: ClusterRef,
): Omit<SlotMapSource, 'work' | 'showInTree'> {
  return {
    extensionUri,
    ref,
    name: inventory.titleOf(ref),
    snapshot: () => inventory.snapshot(ref),
    isGone: () => inventory.isGone(ref),
    onDidChange: (listener) => {
      const release = inventory.need(claimOf(ref));
      const onChanged = ({ clusters }: Changed): void => {
        if (clusters.has(clusterKey(ref))) listener();
      };
      inventory.on('changed', onChanged);
      operations.on('changed', listener);
      return new vscode.Disposable(() => {
        inventory.off('changed', onChanged);
        operations.off('changed', listener);
        release();
      });
    },
    run: (command) => {
      void vscode.commands.executeCommand(command, { cluster: ref });
    },
  };
}

/** The sandbox that `npm start` runs beside the editor, by the addresses it hands over in the environment. */
function givenSandbox(): AddressClusterRef | undefined {
  const given = process.env['REDIS_CLUSTER_SANDBOX'];
  if (given === undefined || given === '') return undefined;
  return { addresses: given.split(',').map((address) => formatAddress(parseAddress(address))) };
}
