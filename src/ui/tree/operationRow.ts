import type { ClusterRef } from '../../model/clusterRef.ts';
import { countText, type Progress } from '../../model/progress.ts';
import type { RunningWork } from '../../model/snapshot.ts';
import { commandName } from '../commandNames.ts';
import type { ClusterWork } from './clusterRow.ts';
import type { Row, RowIcon } from './row.ts';

/** An operation of this window that runs on the cluster now, and how far it is. */
export interface RunningOperation {
  readonly title: string;
  /** The command that planned it, without `redisCluster.`. */
  readonly operation: string;
  readonly progress: Progress;
}

const runs: RowIcon = { name: 'sync~spin' };
const pauses: RowIcon = { name: 'debug-pause' };

/** How far a progress is in percent, never 100 before the end; undefined where it is not counted. */
export function percentOf({ done = 0, total }: Progress): number | undefined {
  if (total === undefined || total === 0) return undefined;
  return Math.min(99, Math.floor((100 * done) / total));
}

/** What a row says first, collapsed or not: `43% Reshard`, or `Upgrade by ann on ci-3`. */
export function runningText({ own, all }: ClusterWork): string | undefined {
  if (own !== undefined) {
    const paused = own.progress.paused === undefined ? [] : ['(paused)'];
    const percent = percentOf(own.progress);
    // A narrow side bar cuts off the end.
    return [percent === undefined ? undefined : `${percent}%`, commandName(own.operation), ...paused]
      .filter((part) => part !== undefined)
      .join(' ');
  }
  const [other] = visibleWork(all);
  if (other === undefined) return undefined;
  if (other.operation === 'rollout') return 'rolling out';
  return `${commandName(other.operation) ?? other.title} by ${(other.holder ?? 'another user').replace(/ \(process \d+\)$/, '')}`;
}

/** The icon of a cluster on which something runs. */
export function runningIcon({ own, all }: ClusterWork): RowIcon | undefined {
  if (own !== undefined) return own.progress.paused === undefined ? runs : pauses;
  return visibleWork(all).length === 0 ? undefined : runs;
}

/** What runs, as one sentence for tooltips and reports. */
export function workText({ title, holder, operation }: RunningWork): string {
  if (operation === 'rollout' || operation === 'podsStarting') return `${title}.`;
  return holder === undefined ? `“${title}” is running.` : `${holder} is running “${title}”.`;
}

/** A row for each work: this window's with how far it is, and what others and Kubernetes do. */
export function operationRow(id: string, ref: ClusterRef, { own, all }: ClusterWork): readonly Row[] {
  const others = visibleWork(all).filter(
    ({ holder, operation }) => holder !== undefined || operation === 'rollout',
  );
  return [
    ...(own === undefined ? [] : [ownRow(id, ref, own)]),
    ...others.map((work, index) => othersRow(`${id}/work/${index}`, ref, work)),
  ];
}

function ownRow(id: string, ref: ClusterRef, { title, progress }: RunningOperation): Row {
  const { text, paused } = progress;
  const counted = countText(progress);
  return {
    id: `${id}/operation`,
    // A narrow side bar cuts off the end, and how far it is changes.
    label: [...(paused === undefined ? [] : ['Paused']), ...counted, title].join(' · '),
    description: paused ?? text,
    tooltip: [title, ...counted, ...(paused === undefined ? [] : [paused]), text],
    icon: paused === undefined ? runs : pauses,
    facets: 'operation',
    expansion: 'none',
    children: [],
    target: { kind: 'cluster', ref },
  };
}

function othersRow(id: string, ref: ClusterRef, work: RunningWork): Row {
  return {
    id,
    label: work.title,
    ...(work.holder === undefined ? {} : { description: `by ${work.holder}` }),
    tooltip: [
      workText(work),
      ...(work.holder === undefined ? [] : ['Only the window that started it can cancel it.']),
    ],
    icon: runs,
    facets: 'operation others',
    expansion: 'none',
    children: [],
    target: { kind: 'cluster', ref },
  };
}

/** The work that has a row of its own: not a StatefulSet that waits for a pod, whose row shows it, and nothing that has ended. */
export function visibleWork(all: readonly RunningWork[]): readonly RunningWork[] {
  return all.filter(({ ended, operation }) => ended !== true && operation !== 'podsStarting');
}
