import * as vscode from 'vscode';
import { clusterKey, parseClusterRef, type ClusterRef } from '../../model/clusterRef.ts';
import { claimOf, type Release } from '../../inventory/claims.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { readSettings } from '../settings.ts';
import { statusBarClusterKey } from '../storedNames.ts';
import type { ClusterTree } from '../tree/clusterTree.ts';
import type { ClusterHealth } from './clusterHealth.ts';
import { statusText } from './statusText.ts';

const backgrounds = { error: 'statusBarItem.errorBackground', warning: 'statusBarItem.warningBackground' };

/**
 * The status bar item: the cluster that the user selected, which is read while the window is open, or else one on which
 * an operation of this window runs, which is read anyway.
 */
export class ClusterStatusBar implements vscode.Disposable {
  readonly #inventory: Inventory;
  readonly #tree: ClusterTree;
  readonly #memory: vscode.Memento;
  readonly #item = vscode.window.createStatusBarItem(
    'redisCluster.cluster',
    vscode.StatusBarAlignment.Left,
    50,
  );
  readonly #parts: readonly vscode.Disposable[];
  #chosen: ClusterRef | undefined;
  #release: Release | undefined;

  /** @param sourcesReady ends when clusters that were selected earlier can be read */
  constructor(
    inventory: Inventory,
    tree: ClusterTree,
    memory: vscode.Memento,
    sourcesReady: () => Promise<void>,
  ) {
    this.#inventory = inventory;
    this.#tree = tree;
    this.#memory = memory;
    this.#item.name = 'Redis Cluster';
    this.#item.command = 'redisCluster.showInStatusBar';
    this.#chosen = remembered(memory);
    this.#parts = [
      tree.onDidDraw(() => {
        this.#draw();
      }),
      vscode.workspace.onDidChangeConfiguration(() => {
        this.#claim();
        this.#draw();
      }),
    ];
    if (this.#chosen !== undefined && readSettings().statusBar) {
      void sourcesReady().then(() => {
        this.#claim();
      });
    }
  }

  /** The cluster that the user selected. */
  get chosen(): ClusterRef | undefined {
    return this.#chosen;
  }

  /** Shows this cluster from now on, in this window and the next of its workspace; none where it is undefined. */
  async choose(ref: ClusterRef | undefined): Promise<void> {
    this.#chosen = ref;
    this.#claim();
    this.#tree.redraw();
    await this.#memory.update(statusBarClusterKey, ref);
  }

  dispose(): void {
    this.#release?.();
    this.#item.dispose();
    for (const part of this.#parts) part.dispose();
  }

  #claim(): void {
    const before = this.#release;
    const isWanted = this.#chosen !== undefined && readSettings().statusBar;
    this.#release =
      isWanted && this.#chosen !== undefined ? this.#inventory.need(claimOf(this.#chosen)) : undefined;
    before?.();
  }

  #draw(): void {
    const health = readSettings().statusBar ? this.#shown() : undefined;
    if (health === undefined) {
      this.#item.hide();
      return;
    }
    const { text, spoken, severity } = statusText(health);
    this.#item.text = text;
    this.#item.tooltip = [...health.tooltip(), '', 'Click to select another cluster.'].join('\n');
    this.#item.accessibilityInformation = { label: spoken };
    this.#item.backgroundColor =
      severity === undefined ? undefined : new vscode.ThemeColor(backgrounds[severity]);
    this.#item.show();
  }

  #shown(): ClusterHealth | undefined {
    const chosen = this.#chosen;
    const all = this.#tree.allHealths();
    if (chosen === undefined) return all.find(({ isChanging }) => isChanging);
    return all.find(({ ref }) => clusterKey(ref) === clusterKey(chosen));
  }
}

/** A cluster that was selected in an earlier window; a text of another version is none. */
function remembered(memory: vscode.Memento): ClusterRef | undefined {
  try {
    const value = memory.get(statusBarClusterKey);
    return value === undefined ? undefined : parseClusterRef(value);
  } catch {
    return undefined;
  }
}

export function isSameCluster(one: ClusterRef | undefined, other: ClusterRef): boolean {
  return one !== undefined && clusterKey(one) === clusterKey(other);
}
