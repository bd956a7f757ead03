import type { ClusterRef } from '../../model/clusterRef.ts';

/** What a row stands for: what a command started from it acts on. */
export type RowTarget =
  | { readonly kind: 'context'; readonly context: string }
  | { readonly kind: 'namespace'; readonly context: string; readonly namespace: string }
  | { readonly kind: 'cluster'; readonly ref: ClusterRef }
  | { readonly kind: 'node'; readonly ref: ClusterRef; readonly nodeId: string }
  /** A pod in which no member was found. */
  | { readonly kind: 'pod'; readonly ref: ClusterRef; readonly pod: string }
  /** A range of hash slots, by its first. */
  | { readonly kind: 'slot'; readonly ref: ClusterRef; readonly slot: number }
  /** An operation that was not finished; `journal` is its id. */
  | { readonly kind: 'unfinished'; readonly ref: ClusterRef; readonly journal: string };

/** One row as data: what VS Code draws of it. Built without `vscode`, so that labels and facets are unit-tested. */
export interface Row {
  /** A path, since a node stands in several places; stable while what it stands for exists. */
  readonly id: string;
  readonly label: string;
  readonly description?: string;
  /** What a screen reader says before the label, where sighted people see it by the icon alone. */
  readonly spokenFirst?: string;
  /** Lines of the tooltip, each plain text. */
  readonly tooltip?: readonly string[];
  readonly icon: RowIcon;
  /** Facets, separated by blanks, that menus match: `node master kubernetes`. */
  readonly facets: string;
  readonly expansion: 'none' | 'collapsed' | 'expanded';
  readonly children: readonly Row[];
  readonly target?: RowTarget;
  /** A command that a click runs, without arguments beyond the row. */
  readonly click?: { readonly command: string; readonly title: string };
}

/** A codicon and, where the state is more than its shape, a theme colour. State is also said in words. */
export interface RowIcon {
  readonly name: string;
  readonly color?: string;
}

export const okIcon: RowIcon = { name: 'pass', color: 'testing.iconPassed' };
export const warningIcon: RowIcon = { name: 'warning', color: 'list.warningForeground' };
export const errorIcon: RowIcon = { name: 'error', color: 'list.errorForeground' };
export const busyIcon: RowIcon = { name: 'loading~spin' };

/** How it is reached where the usual way is not allowed, and what would allow it. */
export const viaExecText =
  'Reached through: exec, which is slower. The rights to get and create pods/portforward are missing';
