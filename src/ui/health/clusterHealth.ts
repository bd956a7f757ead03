import type { ClusterRef } from '../../model/clusterRef.ts';
import type { Finding } from '../../model/finding.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import type { ClusterRows } from '../tree/clusterRows.ts';
import { stateTooltip, type ClusterState } from '../tree/clusterState.ts';
import { runningText } from '../tree/operationRow.ts';
import type { TreeState } from '../tree/rows.ts';

/** What the views that show one line for each cluster say of it. */
export interface ClusterHealth {
  readonly ref: ClusterRef;
  readonly name: string;
  readonly isSandbox: boolean;
  readonly state: ClusterState;
  /** What is wrong and not explained by what runs, the worst first. */
  readonly problems: readonly Finding[];
  /** What runs on it, and how far it is. */
  readonly running?: string;
  /** An operation of this window is what runs. */
  readonly isChanging: boolean;
  /** All of it, as lines. */
  readonly tooltip: () => readonly string[];
}

/** What the health of clusters is concluded from. */
type HealthState = Pick<TreeState, 'contexts' | 'addressClusters' | 'work'>;

/** Every cluster that has been read, but for those of contexts that are not shown. */
export function healthsOf(
  state: HealthState,
  kept: ClusterRows,
  isShown: (context: string) => boolean,
): readonly ClusterHealth[] {
  return [
    ...state.addressClusters.flatMap(({ source, snapshot }) =>
      snapshot === undefined ? [] : [healthOf(snapshot, state, kept, source)],
    ),
    ...state.contexts
      .filter(({ name }) => isShown(name))
      .flatMap(({ scopes }) => scopes.flatMap(({ clusters }) => clusters))
      .map((snapshot) => healthOf(snapshot, state, kept)),
  ];
}

/** @param source what names a cluster by address */
function healthOf(
  snapshot: ClusterSnapshot,
  { work }: Pick<HealthState, 'work'>,
  kept: ClusterRows,
  source: { readonly name: string; readonly sandbox: boolean } = { name: snapshot.name, sandbox: false },
): ClusterHealth {
  const runs = work(snapshot);
  const { findings, state } = kept.verdict(snapshot, source.name, runs);
  const running = runningText(runs);
  return {
    ref: snapshot.ref,
    name: source.name,
    isSandbox: source.sandbox,
    state,
    problems: findings.filter(({ severity }) => severity !== 'info'),
    ...(running === undefined ? {} : { running }),
    isChanging: runs.own !== undefined,
    tooltip: () => stateTooltip({ ...snapshot, name: source.name }, findings, state, runs.all),
  };
}
