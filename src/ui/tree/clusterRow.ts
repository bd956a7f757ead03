import { headlineOf } from '../../checks/headline.ts';
import { check } from '../../checks/check.ts';
import { clusterKey, isKubernetesRef, type ClusterRef } from '../../model/clusterRef.ts';
import { hasEnded, podsOf } from '../../model/endedPods.ts';
import type { Finding } from '../../model/finding.ts';
import { partsWithData } from '../../model/parts.ts';
import { shardsOf } from '../../model/shards.ts';
import type { ClusterSnapshot, PodFacts, RunningWork } from '../../model/snapshot.ts';
import { isUnformed } from '../../model/unformed.ts';
import { mayNeedSignIn } from '../../model/unread.ts';
import type { Unfinished } from '../../operations/run/journal.ts';
import { stateDescription, stateIcons, stateOf, stateTooltip, type ClusterState } from './clusterState.ts';
import { groupedRows, type Grouping } from './groupings.ts';
import { operationRow, runningIcon, runningText, type RunningOperation } from './operationRow.ts';
import { partRow } from './partRow.ts';
import { errorIcon, warningIcon, type Row } from './row.ts';
import { slotsRow } from './slotsRow.ts';
import { unfinishedRows } from './unfinishedRow.ts';

/** What is known of a cluster beside its snapshot. */
export interface ClusterWork {
  /** The operation of this window that runs on it. */
  readonly own?: RunningOperation;
  /** All work that explains findings, this window's too. */
  readonly all: readonly RunningWork[];
  /** A person has signed in to it. */
  readonly isSignedIn?: boolean;
  /** Operations that ended with steps left, the newest first. */
  readonly unfinished?: readonly Pick<Unfinished, 'id' | 'end' | 'steps' | 'title' | 'lastAt'>[];
}

/** How the rows of clusters are drawn. */
export interface Drawing {
  readonly grouping: Grouping;
  /** Whether the row is expanded when it is first drawn. */
  readonly expanded: boolean;
}

const collapsedShards: Drawing = { grouping: 'shards', expanded: false };

/** What the checks say of a cluster while this work runs. */
export interface Verdict {
  readonly findings: readonly Finding[];
  readonly state: ClusterState;
}

export function verdictOn(snapshot: ClusterSnapshot, running: readonly RunningWork[]): Verdict {
  const findings = check(snapshot, running);
  return { findings, state: stateOf(snapshot, findings) };
}

/** A cluster with everything under it: what is wrong first, then its nodes as they are grouped, then its slots. */
export function clusterRow(
  snapshot: ClusterSnapshot,
  work: ClusterWork,
  drawing = collapsedShards,
  { findings, state } = verdictOn(snapshot, work.all),
): Row {
  const id = clusterKey(snapshot.ref);
  const apart = partsWithData(snapshot);
  const inParts = new Set(apart.flatMap(({ nodes }) => nodes.map(({ pod }) => pod?.uid)));
  const loose = snapshot.loosePods.filter(({ uid }) => !inParts.has(uid));
  const silent = new Set(snapshot.unread.flatMap(({ pod }) => pod?.uid ?? []));
  return {
    id,
    label: snapshot.name,
    description: stateDescription(snapshot, state, shardsOf(snapshot).length, runningText(work)),
    tooltip: stateTooltip(snapshot, findings, state, work.all),
    // What runs never hides what it does not explain.
    icon: (state === 'ok' ? runningIcon(work) : undefined) ?? stateIcons[state],
    facets: facetsOf(snapshot, { state, findings }, work),
    expansion: drawing.expanded ? 'expanded' : 'collapsed',
    target: { kind: 'cluster', ref: snapshot.ref },
    children: [
      ...operationRow(id, snapshot.ref, work),
      ...unfinishedRows(id, snapshot.ref, work),
      ...findings.map((finding, index) => findingRow(id, finding, index, snapshot)),
      ...(snapshot.nodes.length === 0 ? [] : groupedRows(id, snapshot, drawing.grouping)),
      ...apart.map((part, index) => partRow(id, snapshot, part, index)),
      ...loose.map((pod) => podRow(id, snapshot.ref, pod, silent.has(pod.uid))),
      ...(state === 'unreachable' ? [] : [slotsRow(`${id}/slots`, snapshot)]),
    ],
  };
}

function facetsOf(snapshot: ClusterSnapshot, { state, findings }: Verdict, work: ClusterWork): string {
  // Servers with keys may have lost their nodes.conf: a new cluster would not serve these.
  const isEmpty = snapshot.nodes.every(({ view }) => view?.keys === 0);
  return [
    'cluster',
    state,
    isKubernetesRef(snapshot.ref) ? 'kubernetes' : 'address',
    ...(isUnformed(snapshot) && isEmpty ? ['unformed'] : []),
    ...(podsOf(snapshot).some(hasEnded) ? ['endedPods'] : []),
    ...(mayNeedSignIn(snapshot) ? ['signIn'] : []),
    ...(findings.some(({ rule }) => rule === 'unreached') ? ['unreached'] : []),
    ...(work.isSignedIn === true ? ['signedIn'] : []),
    ...(work.own === undefined ? [] : ['running']),
  ].join(' ');
}

function findingRow(id: string, finding: Finding, index: number, snapshot: ClusterSnapshot): Row {
  const icons = {
    error: errorIcon,
    warning: warningIcon,
    info: { name: finding.expected === true ? 'watch' : 'info' },
  };
  const node = finding.nodeIds[0];
  const headline = headlineOf(finding);
  return {
    id: `${id}/problems/${finding.rule}/${node ?? index}`,
    label: headline,
    description: withoutWordsOf(headline, finding.message),
    spokenFirst: { error: 'Error', warning: 'Warning', info: 'Note' }[finding.severity],
    tooltip: [
      finding.message,
      ...finding.evidence,
      ...(finding.remedy === undefined ? [] : [`What to do: ${finding.remedy}`]),
    ],
    icon: icons[finding.severity],
    facets: ['problem', finding.severity, ...remedyFacets(finding)].join(' '),
    expansion: 'none',
    children: [],
    target: { kind: 'cluster', ref: snapshot.ref },
    click: { command: 'redisCluster.check', title: 'Check Cluster' },
  };
}

/** A message without the words that it begins with as its headline does. */
function withoutWordsOf(headline: string, message: string): string {
  const words = message.split(' ');
  const said = headline.split(' ').findIndex((word, index) => word !== words[index]?.replace(/[:,.]$/, ''));
  return said === 0 ? message : words.slice(said === -1 ? headline.split(' ').length : said).join(' ');
}

/** Which commands may help against what was found. */
function remedyFacets({ rule, remedy }: Finding): readonly string[] {
  const isAccess = ['unread', 'denied'].includes(rule) && remedy?.includes('“Sign In…”') === true;
  return [...(isAccess ? ['signIn'] : []), ...(rule === 'unreached' ? ['unreached'] : [])];
}

function podRow(id: string, ref: ClusterRef, pod: PodFacts, isSilent: boolean): Row {
  const running = isSilent ? 'cannot be read' : 'not in the cluster yet';
  const why = pod.reason ?? (pod.phase === 'Running' ? running : pod.phase);
  return {
    id: `${id}/pods/${pod.name}`,
    label: pod.name,
    description: `pod · ${why}`,
    tooltip: [
      `Pod ${pod.name}: ${pod.phase}`,
      ...(pod.reasonMessage === undefined ? [] : [pod.reasonMessage]),
    ],
    icon: pod.reason === undefined ? { name: 'ellipsis' } : warningIcon,
    facets: 'pod',
    expansion: 'none',
    children: [],
    target: { kind: 'pod', ref, pod: pod.name },
  };
}
