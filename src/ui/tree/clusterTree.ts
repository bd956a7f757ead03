import * as vscode from 'vscode';
import { clusterKey, type ClusterRef } from '../../model/clusterRef.ts';
import { claimKey, claimOf, type Claim, type Release } from '../../inventory/claims.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { ClusterRows } from './clusterRows.ts';
import { changedRows, indexRows, type RowIndex } from './changedRows.ts';
import type { ClusterView } from './clusterView.ts';
import type { Row, RowTarget } from './row.ts';
import { healthsOf, type ClusterHealth } from '../health/clusterHealth.ts';
import { welcomeOf, type WelcomeState } from '../welcome.ts';
import { badgeOf } from './badge.ts';
import { rowsOf, type TreeState } from './rows.ts';

/** What VS Code holds for a row: one object per id for its lifetime, since VS Code finds rows by object identity. */
export interface Element {
  readonly id: string;
}

/** What a round of readings says comes within this; VS Code itself draws at most every 200 ms. */
const redrawEveryMs = 50;

/**
 * Draws the inventory's newest snapshots. Never awaits the network: rows come from what is known. A context is read
 * while its row is expanded and the view is visible; clusters by address while the view is visible.
 */
export class ClusterTree implements vscode.Disposable {
  readonly view: vscode.TreeView<Element>;
  readonly #changes: ClusterView['changes'];
  readonly #draws = new vscode.EventEmitter<void>();
  /** After each look at what is known, whether or not a row has changed. */
  readonly onDidDraw = this.#draws.event;
  readonly #inventory: Inventory;
  readonly #state: () => TreeState;
  readonly #elements = new Map<string, Element>();
  readonly #claims = new Map<string, Release>();
  readonly #expanded = new Set<string>();
  readonly #rows = new ClusterRows();
  #roots: readonly Row[] = [];
  #index: RowIndex = new Map();
  #timer: NodeJS.Timeout | undefined;
  #running = 0;
  /** The context that was expanded last, until it has been read. */
  #searched: string | undefined;

  constructor({ view, changes }: ClusterView, inventory: Inventory, state: () => TreeState) {
    this.view = view;
    this.#changes = changes;
    this.#inventory = inventory;
    this.#state = state;
    this.view.onDidChangeVisibility(() => {
      this.#claimVisible();
    });
    this.view.onDidExpandElement(({ element }) => {
      this.#expanded.add(element.id);
      if (this.target(element)?.kind === 'context') this.#searched = element.id;
      this.#claimVisible();
      this.redraw();
    });
    this.view.onDidCollapseElement(({ element }) => {
      this.#expanded.delete(element.id);
      if (this.#searched === element.id) this.#searched = undefined;
      this.#claimVisible();
      this.redraw();
    });
    inventory.on('changed', () => {
      // What has just been listed is read before it is drawn.
      this.#claimVisible();
      this.redraw();
    });
    this.#roots = rowsOf(state(), this.#rows);
    this.#index = indexRows(this.#roots);
  }

  /** Draws what changed since the last time, bursts together. */
  redraw(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#redrawNow();
    }, redrawEveryMs);
  }

  /** Calls back once, when the view is first looked at, or at once where it is looked at now. */
  whenVisible(callback: () => void): void {
    if (this.view.visible) {
      callback();
      return;
    }
    const waiting = this.view.onDidChangeVisibility(({ visible }) => {
      if (!visible) return;
      waiting.dispose();
      callback();
    });
  }

  /** The health of the clusters whose rows are shown. */
  healths(): readonly ClusterHealth[] {
    return healthsOf(this.#state(), this.#rows, (context) => this.#expanded.has(`context/${context}`));
  }

  /** The health of every cluster that has been read, also of those in collapsed contexts. */
  allHealths(): readonly ClusterHealth[] {
    return healthsOf(this.#state(), this.#rows, () => true);
  }

  /** Why no cluster is listed; undefined where one is. */
  welcome(): WelcomeState | undefined {
    return welcomeOf(this.#state(), (context) => this.#expanded.has(`context/${context}`));
  }

  /** Says on the view's icon what is wrong with the clusters shown, or how many operations are running. */
  showBadge(running: number): void {
    this.#running = running;
    const badge = badgeOf(running, this.healths());
    if (badge?.tooltip !== this.view.badge?.tooltip) this.view.badge = badge;
  }

  /** What a row stands for, for commands that were started from it. */
  target(element: Element): RowTarget | undefined {
    return this.#index.get(element.id)?.row.target;
  }

  /**
   * Selects the row of a cluster or of one of its nodes and brings it into view. False where it has none now, since its
   * context has not been read yet.
   */
  async reveal(ref: ClusterRef, nodeId?: string, { focus } = { focus: true }): Promise<boolean> {
    this.#redrawNow();
    const key = clusterKey(ref);
    const [id] =
      [...this.#index].find(
        ([
          ,
          {
            row: { target, facets },
          },
        ]) => {
          if (target === undefined || !('ref' in target) || clusterKey(target.ref) !== key) return false;
          if (nodeId === undefined) return facets.startsWith('cluster ');
          return target.kind === 'node' && target.nodeId === nodeId && facets.startsWith('node ');
        },
      ) ?? [];
    if (id === undefined) return false;
    await this.view.reveal(this.#element(id), { select: true, focus, expand: nodeId === undefined });
    return true;
  }

  getTreeItem(element: Element): vscode.TreeItem {
    const row = this.#index.get(element.id)?.row;
    return row === undefined ? new vscode.TreeItem('') : draw(row, element);
  }

  getChildren(element?: Element): Element[] {
    if (element === undefined) {
      // What is known by now: an answer of before, and the change that follows, would be seen much later.
      this.#redrawNow(false);
      return this.#roots.map((row) => this.#element(row.id));
    }
    return (this.#index.get(element.id)?.row.children ?? []).map((row) => this.#element(row.id));
  }

  getParent(element: Element): Element | undefined {
    const parent = this.#index.get(element.id)?.parent;
    return parent === undefined ? undefined : this.#element(parent);
  }

  resolveTreeItem(item: vscode.TreeItem, element: Element): vscode.TreeItem {
    const lines = this.#index.get(element.id)?.row.tooltip;
    if (lines !== undefined) item.tooltip = lines.join('\n');
    return item;
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const release of this.#claims.values()) release();
    this.#draws.dispose();
  }

  /** @param announces whether VS Code is to be told which rows are other than before */
  #redrawNow(announces = true): void {
    this.#roots = rowsOf(this.#state(), this.#rows);
    const after = indexRows(this.#roots);
    const changed = changedRows(this.#index, after);
    this.#index = after;
    for (const id of this.#elements.keys()) if (!after.has(id)) this.#elements.delete(id);
    this.#claimVisible();
    this.showBadge(this.#running);
    if (changed === undefined && announces) this.#changes.fire(undefined);
    else if (changed !== undefined && changed.length > 0)
      this.#changes.fire(changed.map((id) => this.#element(id)));
    this.#selectFound();
    this.#draws.fire();
  }

  /** Selects the first cluster that was found in the context that was expanded last, unless another row was selected. */
  #selectFound(): void {
    const searched = this.#searched;
    if (searched === undefined) return;
    const rows = [...this.#index].filter(([, { row }]) => row.facets.startsWith('cluster '));
    const [first] =
      rows.find(([id]) => id.startsWith(`kubernetes/${searched.slice('context/'.length)}/`)) ?? [];
    if (first === undefined) return;
    this.#searched = undefined;
    const [selected] = this.view.selection;
    const isFree = selected === undefined || selected.id === searched;
    if (!this.view.visible || !isFree) return;
    void this.view
      .reveal(this.#element(first), { select: true, focus: false })
      .then(undefined, () => undefined);
  }

  #element(id: string): Element {
    let element = this.#elements.get(id);
    if (element === undefined) {
      element = { id };
      this.#elements.set(id, element);
    }
    return element;
  }

  #claimVisible(): void {
    const wanted = new Map<string, Claim>();
    const want = (claim: Claim): unknown => wanted.set(claimKey(claim), claim);
    if (this.view.visible) {
      for (const { source } of this.#inventory.addressClusters()) want(claimOf(source.ref));
      for (const { name } of this.#inventory.contexts()) {
        if (this.#expanded.has(`context/${name}`)) want({ context: name });
      }
    }
    for (const [key, claim] of wanted)
      if (!this.#claims.has(key)) this.#claims.set(key, this.#inventory.need(claim));
    for (const [claim, release] of this.#claims) {
      if (wanted.has(claim)) continue;
      release();
      this.#claims.delete(claim);
    }
  }
}

const states = {
  none: vscode.TreeItemCollapsibleState.None,
  collapsed: vscode.TreeItemCollapsibleState.Collapsed,
  expanded: vscode.TreeItemCollapsibleState.Expanded,
};

function draw(row: Row, element: Element): vscode.TreeItem {
  const item = new vscode.TreeItem(row.label, states[row.expansion]);
  item.id = row.id;
  if (row.description !== undefined) item.description = row.description;
  item.iconPath = new vscode.ThemeIcon(
    row.icon.name,
    row.icon.color === undefined ? undefined : new vscode.ThemeColor(row.icon.color),
  );
  item.contextValue = row.facets;
  const spoken = [row.label, row.description].filter(Boolean).join(', ');
  item.accessibilityInformation = { label: [row.spokenFirst, spoken].filter(Boolean).join(': ') };
  if (row.click !== undefined) item.command = { ...row.click, arguments: [element] };
  return item;
}
