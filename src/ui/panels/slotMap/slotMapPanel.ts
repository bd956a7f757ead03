import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { clusterKey, parseClusterRef, type ClusterRef } from '../../../model/clusterRef.ts';
import { pause } from '../../../model/pause.ts';
import { shardsOf } from '../../../model/shards.ts';
import type { ClusterSnapshot } from '../../../model/snapshot.ts';
import type { FromPanel, SlotMapCommand, SlotMapState, ToPanel } from './messages.ts';
import { slotMapViewType } from '../../storedNames.ts';
import type { ClusterWork } from '../../tree/clusterRow.ts';
import { colourShards, type ShardColours } from './shardColours.ts';
import { slotMapHtml } from './slotMapHtml.ts';
import { slotMapState } from './slotMapState.ts';

/** Changes within this many milliseconds reach the page as one. */
const coalesceMs = 100;
/** A page that takes longer is open all the same. */
const drawLimitMs = 3_000;
const commands: readonly string[] = [
  'redisCluster.signIn',
  'redisCluster.refresh',
  'redisCluster.check',
  'redisCluster.reshard',
  'redisCluster.cancelOperation',
] satisfies SlotMapCommand[];

/** What a slot map needs of the rest: where its cluster's snapshots come from and where its intents go. */
export interface SlotMapSource {
  readonly extensionUri: vscode.Uri;
  readonly ref: ClusterRef;
  /** What views call the cluster. */
  readonly name: string;
  /** The newest snapshot; undefined until the first has been taken. */
  snapshot(): ClusterSnapshot | undefined;
  /** Whether it was looked for and not found. */
  isGone(): boolean;
  /** What runs on the cluster, as the tree shows it. */
  work(snapshot: ClusterSnapshot): Pick<ClusterWork, 'own' | 'all'>;
  /** Calls back after each change of this cluster's snapshot and of what runs on it. */
  onDidChange(listener: () => void): vscode.Disposable;
  /** Runs a command for this cluster, as the tree would. */
  run(command: SlotMapCommand): void;
  /** Selects a node in the tree. */
  showInTree(nodeId: string): Promise<boolean>;
}

interface OpenPanel {
  readonly panel: vscode.WebviewPanel;
  /** Ends when the page has got the cluster's slots, or was closed. */
  readonly drawn: Promise<unknown>;
  goTo(slot: number): void;
}

const openPanels = new Map<string, OpenPanel>();

/** Shows the slot map of a cluster, at `slot` where one is given: the panel that is open for it already, or a new one. */
export async function openSlotMap(source: SlotMapSource, slot?: number): Promise<void> {
  const open = openPanels.get(clusterKey(source.ref));
  const shown =
    open ??
    connect(
      vscode.window.createWebviewPanel(
        slotMapViewType,
        `Slot Map – ${source.name}`,
        vscode.ViewColumn.Active,
      ),
      source,
    );
  if (open !== undefined) open.panel.reveal();
  if (slot !== undefined) shown.goTo(slot);
  await Promise.race([shown.drawn, pause(drawLimitMs)]);
}

/**
 * Brings a slot map back that was open when the window was reloaded.
 * @param state what its page stored last
 * @param sourceOf may not know a cluster any more: then its panel closes
 */
export function restoreSlotMap(
  panel: vscode.WebviewPanel,
  state: unknown,
  sourceOf: (ref: ClusterRef) => SlotMapSource | undefined,
): void {
  const source = sourceOfState(state, sourceOf);
  if (source === undefined || openPanels.has(clusterKey(source.ref))) panel.dispose();
  else connect(panel, source);
}

function sourceOfState(
  state: unknown,
  sourceOf: (ref: ClusterRef) => SlotMapSource | undefined,
): SlotMapSource | undefined {
  if (typeof state !== 'object' || state === null || !('ref' in state)) return undefined;
  try {
    return sourceOf(parseClusterRef(state.ref));
  } catch {
    // The state of an older version, or a broken one: nothing that a user could act on.
    return undefined;
  }
}

function connect(panel: vscode.WebviewPanel, source: SlotMapSource): OpenPanel {
  const key = clusterKey(source.ref);
  // VS Code discards a hidden page, which sends `ready` when it is loaded again.
  let ready = false;
  /** Whether the page has got a reading since it was loaded. */
  let hasMap = false;
  let colours: ShardColours = new Map();
  /** The order of the shards while something moves: a list that is re-sorted meanwhile is hard to read. */
  let order: readonly string[] = [];
  let timer: NodeJS.Timeout | undefined;
  /** Where to go once the page has a map. */
  let goingTo: number | undefined;

  const stateOf = (snapshot: ClusterSnapshot): SlotMapState => {
    colours = colourShards(shardsOf(snapshot), colours);
    const state = slotMapState(snapshot, colours, source.work(snapshot), order);
    order = state.shards.map(({ id }) => id);
    return state;
  };
  const { promise: drawn, resolve: setDrawn } = Promise.withResolvers<undefined>();
  const post = (): void => {
    timer = undefined;
    if (!ready || !panel.visible) return;
    const snapshot = source.snapshot();
    const message: ToPanel =
      snapshot === undefined ? absent(source, hasMap) : { type: 'state', state: stateOf(snapshot) };
    void panel.webview.postMessage(message);
    hasMap ||= snapshot !== undefined;
    if (hasMap) setDrawn(undefined);
    if (snapshot === undefined || goingTo === undefined) return;
    void panel.webview.postMessage({ type: 'goTo', slot: goingTo } satisfies ToPanel);
    goingTo = undefined;
  };
  const parts = [
    source.onDidChange(() => (timer ??= setTimeout(post, coalesceMs))),
    panel.webview.onDidReceiveMessage((value: unknown) => {
      const message = readMessage(value);
      if (message?.type === 'run') source.run(message.command);
      if (message?.type === 'showInTree') void source.showInTree(message.node);
      if (message?.type !== 'ready') return;
      ready = true;
      hasMap = false;
      post();
    }),
    panel.onDidChangeViewState(() => (ready &&= panel.visible)),
  ];
  panel.onDidDispose(() => {
    clearTimeout(timer);
    for (const part of parts) part.dispose();
    openPanels.delete(key);
    setDrawn(undefined);
  });
  load(panel.webview, source.extensionUri);
  const open: OpenPanel = {
    panel,
    drawn,
    goTo: (slot) => {
      goingTo = slot;
      post();
    },
  };
  openPanels.set(key, open);
  return open;
}

/** What the page says of a cluster that has no reading: a map that is there stays, and is called old. */
function absent(source: SlotMapSource, hasMap: boolean): ToPanel {
  const { name } = source;
  if (!source.isGone()) return { type: 'waiting', text: `Reading ${name}…` };
  const why = `${name} is no longer found: it was deleted, or its servers belong to another cluster now.`;
  return { type: 'gone', text: hasMap ? `${why} The map shows the last reading.` : why };
}

function load(webview: vscode.Webview, extensionUri: vscode.Uri): void {
  const dist = vscode.Uri.joinPath(extensionUri, 'dist');
  const uriOf = (file: string): string => webview.asWebviewUri(vscode.Uri.joinPath(dist, file)).toString();
  webview.options = { enableScripts: true, localResourceRoots: [dist] };
  const sources = {
    cspSource: webview.cspSource,
    script: uriOf('slotMap.js'),
    style: uriOf('slotMap.css'),
  };
  webview.html = slotMapHtml(sources, randomBytes(16).toString('base64'));
}

/** Reads what the page sent; anything but the messages of its protocol is ignored. */
function readMessage(value: unknown): FromPanel | undefined {
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined;
  if (value.type === 'ready') return { type: 'ready' };
  if (value.type === 'showInTree' && 'node' in value && typeof value.node === 'string')
    return { type: 'showInTree', node: value.node };
  if (value.type !== 'run' || !('command' in value)) return undefined;
  const { command } = value;
  return isCommand(command) ? { type: 'run', command } : undefined;
}

function isCommand(value: unknown): value is SlotMapCommand {
  return typeof value === 'string' && commands.includes(value);
}
