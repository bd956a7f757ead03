import { coveredText } from '../../checks/coveredText.ts';
import type { Finding } from '../../model/finding.ts';
import { isKubernetesRef } from '../../model/clusterRef.ts';
import { partsWithData } from '../../model/parts.ts';
import { quantity } from '../../model/quantity.ts';
import type { ClusterSnapshot, RunningWork } from '../../model/snapshot.ts';
import { isUnformed } from '../../model/unformed.ts';
import { isUnread, whyUnreadShort } from '../../model/unread.ts';
import { workText } from './operationRow.ts';
import { errorIcon, okIcon, viaExecText, warningIcon, type RowIcon } from './row.ts';

/** What the views call a cluster's state, in one word: a facet that menus match. */
export type ClusterState = 'ok' | 'degraded' | 'broken' | 'apart' | 'unreachable';

/** Of a cluster that could not be read nothing is known, so it is none of the others. */
export function stateOf(snapshot: ClusterSnapshot, findings: readonly Finding[]): ClusterState {
  if (isUnread(snapshot)) return 'unreachable';
  if (partsWithData(snapshot).length > 0) return 'apart';
  if (findings.some((finding) => finding.severity === 'error')) return 'broken';
  return findings.some((finding) => finding.severity === 'warning') ? 'degraded' : 'ok';
}

/** The state as people read it. */
const stateTexts: Readonly<Record<ClusterState, string>> = {
  ok: 'healthy',
  degraded: 'degraded',
  broken: 'broken',
  apart: 'split',
  unreachable: 'cannot be read',
};

export const stateIcons: Readonly<Record<ClusterState, RowIcon>> = {
  ok: okIcon,
  degraded: warningIcon,
  broken: errorIcon,
  apart: errorIcon,
  unreachable: { name: 'debug-disconnect', color: 'list.errorForeground' },
};

/** What stands beside the cluster's name. A narrow side bar cuts off the end: a fault comes before what runs. */
export function stateDescription(
  snapshot: ClusterSnapshot,
  state: ClusterState,
  shards: number,
  running: string | undefined,
): string {
  const runs = running === undefined ? [] : [running];
  if (state === 'unreachable') {
    return [`${stateTexts[state]}: ${whyUnreadShort(snapshot)}`, ...runs].join(' · ');
  }
  if (isUnformed(snapshot)) {
    return ['no cluster formed', ...runs, quantity(snapshot.nodes.length, 'server')].join(' · ');
  }
  const others = partsWithData(snapshot);
  const parts = state === 'apart' ? [`largest of ${quantity(others.length + 1, 'part')}`] : [];
  const first = state === 'ok' ? [...runs, stateTexts[state]] : [stateTexts[state], ...runs];
  return [...first, ...parts, quantity(shards, 'shard'), answeredText(snapshot)].join(' · ');
}

/** `6 nodes`, or how many of them answered. */
function answeredText({ nodes }: ClusterSnapshot): string {
  const answered = nodes.filter(({ view }) => view !== undefined).length;
  return answered === nodes.length
    ? quantity(nodes.length, 'node')
    : `${answered} of ${quantity(nodes.length, 'node')} answered`;
}

export function stateTooltip(
  snapshot: ClusterSnapshot,
  findings: readonly Finding[],
  state: ClusterState,
  running: readonly RunningWork[],
): readonly string[] {
  const { name, ref, nodes, workloads, apiProblem } = snapshot;
  const where = isKubernetesRef(ref)
    ? [`Context: ${ref.context}`, `Namespace: ${ref.namespace}`]
    : [`Addresses: ${ref.addresses.join(', ')}`];
  return [
    `${name}: ${stateTexts[state]}`,
    ...running.flatMap((work) => (work.ended === true ? [] : [workText(work)])),
    ...where,
    ...workloads.map(
      (workload) =>
        `${workload.kind} ${workload.name}: ${workload.readyReplicas} of ${quantity(workload.replicas, 'pod')} ready`,
    ),
    ...(nodes.some(({ viaExec }) => viaExec === true) ? [viaExecText] : []),
    coveredText(snapshot),
    ...findings.map((finding) => finding.message),
    ...(apiProblem === undefined ? [] : [`Kubernetes API: ${apiProblem}`]),
  ];
}
