import { clusterKey, isKubernetesRef } from '../../model/clusterRef.ts';
import type { AddressSource } from '../../inventory/sources.ts';
import type { ContextState } from '../../inventory/contextReading.ts';
import { UserError } from '../../model/errors.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { quantity } from '../../model/quantity.ts';
import { guardOf, type Guard, type Guards } from '../../model/guards.ts';
import type { ClusterWork } from './clusterRow.ts';
import type { Grouping } from './groupings.ts';
import { ClusterRows } from './clusterRows.ts';
import { busyIcon, errorIcon, okIcon, warningIcon, type Row, type RowIcon } from './row.ts';

/** Everything the tree shows, as it stands now. */
export interface TreeState {
  readonly contexts: readonly ContextState[];
  readonly addressClusters: readonly {
    readonly source: Pick<AddressSource, 'ref' | 'name' | 'sandbox'>;
    readonly snapshot: ClusterSnapshot | undefined;
  }[];
  /** Kubeconfig files that could not be read. */
  readonly kubeconfigProblems: readonly { readonly file: string; readonly message: string }[];
  readonly grouping: Grouping;
  readonly guards: Guards;
  readonly work: (snapshot: ClusterSnapshot) => ClusterWork;
}

/** The tree's first level with all below it. Empty means that the view's welcome text is shown. */
export function rowsOf(state: TreeState, kept = new ClusterRows()): readonly Row[] {
  return [
    ...state.addressClusters.map(({ source, snapshot }) => addressRow(source, snapshot, state, kept)),
    ...state.kubeconfigProblems.map(({ file, message }) =>
      messageRow(`kubeconfig/${file}`, `${shortName(file)} cannot be read`, message, 'openSettings'),
    ),
    ...state.contexts.map((context) => contextRow(context, state, kept)),
  ];
}

function addressRow(
  source: Pick<AddressSource, 'ref' | 'name' | 'sandbox'>,
  snapshot: ClusterSnapshot | undefined,
  state: TreeState,
  kept: ClusterRows,
): Row {
  const id = clusterKey(source.ref);
  const kind = source.sandbox ? 'sandbox' : 'byAddress';
  if (snapshot !== undefined) {
    const drawing = { grouping: state.grouping, expanded: source.sandbox };
    const row = kept.row(snapshot, source.name, state.work(snapshot), drawing);
    return guarded({ ...row, facets: `${row.facets} ${kind}` }, guardOf(source.ref, state.guards));
  }
  return {
    id,
    label: source.name,
    description: 'reading…',
    tooltip: [source.ref.addresses.join(', ')],
    icon: busyIcon,
    facets: `cluster reading address ${kind}`,
    // Said from the first drawing on: VS Code keeps for good how a row was first expanded.
    expansion: source.sandbox ? 'expanded' : 'collapsed',
    children: [{ ...plainRow(`${id}/reading`, 'Reading its nodes…'), icon: busyIcon }],
    target: { kind: 'cluster', ref: source.ref },
  };
}

function contextRow(context: ContextState, state: TreeState, kept: ClusterRows): Row {
  const id = `context/${context.name}`;
  const clusters = context.scopes.flatMap((scope) => scope.clusters);
  const guard = guardOf(context.name, state.guards);
  const row: Row = {
    id,
    label: context.name,
    description: contextDescription(context, clusters.length),
    tooltip: [
      `kubeconfig context ${context.name}`,
      ...(context.problem === undefined ? [] : [context.problem.message]),
    ],
    icon: context.status === 'failed' ? errorIcon : { name: 'server-environment' },
    facets: `context ${context.status}`,
    expansion: 'collapsed',
    target: { kind: 'context', context: context.name },
    children: contextChildren(id, context, clusters, state, kept),
  };
  const isLocked = guard !== undefined && context.status !== 'failed';
  return guarded(isLocked ? { ...row, icon: lockIcon } : row, guard);
}

const lockIcon: RowIcon = { name: 'lock' };
const guardTexts = {
  readOnly: ['read-only', 'Read-only in this editor: no command changes a cluster here.'],
  protected: ['protected', 'Protected: every change asks for a typed name.'],
} as const;

/** Says on a row that changes are refused or asked for below it. */
function guarded(row: Row, guard: Guard | undefined): Row {
  if (guard === undefined) return row;
  const [short, long] = guardTexts[guard];
  const description = [short, row.description]
    .filter((part) => part !== undefined && part !== '')
    .join(' · ');
  // A state that asks for a look is more than the lock, which is said in words too.
  const icon = row.icon === okIcon ? { ...okIcon, ...lockIcon } : row.icon;
  return { ...row, description, icon, tooltip: [...(row.tooltip ?? []), long] };
}

function contextDescription(context: ContextState, clusters: number): string {
  switch (context.status) {
    case 'idle':
      return '';
    case 'reading':
      return 'reading…';
    case 'failed':
      return clusters === 0
        ? whyNot(context.problem)
        : `${quantity(clusters, 'cluster')} · ${whyNot(context.problem)}`;
    case 'ready':
      return quantity(clusters, 'cluster');
  }
}

/** Why a context cannot be read, in the few words that a row has room for; its child has the whole message. */
function whyNot(problem: Error | undefined): string {
  if (!(problem instanceof UserError)) return 'cannot be read';
  if (problem.reason === 'unreachable') return 'API unreachable';
  if (problem.reason === 'sign-in-needed') return 'sign in again';
  return problem.reason === 'forbidden' ? 'no permission' : 'cannot be read';
}

function contextChildren(
  id: string,
  context: ContextState,
  clusters: readonly ClusterSnapshot[],
  state: TreeState,
  kept: ClusterRows,
): readonly Row[] {
  if (context.status === 'idle' || (context.status === 'reading' && clusters.length === 0)) {
    return [{ ...plainRow(`${id}/reading`, 'Looking for Redis Clusters…'), icon: busyIcon }];
  }
  const rows: Row[] = [];
  for (const scope of context.scopes) {
    if (scope.problem === undefined) continue;
    const where = scope.namespace === undefined ? '' : `${scope.namespace}: `;
    rows.push(
      messageRow(
        `${id}/problem/${scope.namespace ?? ''}`,
        `${where}${scope.problem.message}`,
        'Click to try again.',
        'refresh',
      ),
    );
  }
  if (context.scopes.length === 0 && context.problem !== undefined) {
    rows.push(messageRow(`${id}/problem`, context.problem.message, 'Click to try again.', 'refresh'));
  }
  if (context.onlyNamespace !== undefined) {
    rows.push({
      ...plainRow(`${id}/only`, `Only namespace ${context.onlyNamespace} is shown`),
      tooltip: [
        'You are not allowed to list pods in all namespaces. Set redisCluster.namespaces to show others.',
      ],
      click: { command: 'redisCluster.openSettings', title: 'Open Settings' },
    });
  }
  const namespaces = Map.groupBy(clusters, ({ ref }) => (isKubernetesRef(ref) ? ref.namespace : ''));
  for (const [namespace, own] of [...namespaces].sort(([a], [b]) => a.localeCompare(b))) {
    rows.push(namespaceRow(`${id}/${namespace}`, context.name, namespace, own, state, kept));
  }
  if (rows.length === 0) {
    rows.push({
      ...plainRow(`${id}/none`, 'No Redis Cluster found'),
      description: 'click to deploy one',
      click: { command: 'redisCluster.deploy', title: 'Deploy Cluster…' },
      target: { kind: 'context', context: context.name },
    });
  }
  return rows;
}

function namespaceRow(
  id: string,
  context: string,
  namespace: string,
  clusters: readonly ClusterSnapshot[],
  state: TreeState,
  kept: ClusterRows,
): Row {
  return {
    id,
    label: namespace,
    description: quantity(clusters.length, 'cluster'),
    icon: { name: 'symbol-namespace' },
    facets: 'namespace',
    expansion: 'expanded',
    target: { kind: 'namespace', context, namespace },
    children: clusters.map((cluster) =>
      kept.row(cluster, cluster.name, state.work(cluster), { grouping: state.grouping, expanded: false }),
    ),
  };
}

/** A file's name stands first, since a narrow view cuts the end off; the tooltip has the whole path. */
function shortName(file: string): string {
  return file.split(/[/\\]/).at(-1) ?? file;
}

function plainRow(id: string, label: string): Row {
  return { id, label, icon: { name: 'info' }, facets: 'message', expansion: 'none', children: [] };
}

function messageRow(id: string, label: string, hint: string, command: 'refresh' | 'openSettings'): Row {
  const title = command === 'refresh' ? 'Refresh' : 'Open Settings';
  return {
    ...plainRow(id, label),
    tooltip: [label, hint],
    icon: warningIcon,
    facets: 'message problem',
    click: { command: `redisCluster.${command}`, title },
  };
}
