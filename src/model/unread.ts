import { describeRef, isKubernetesRef, type ClusterRef } from './clusterRef.ts';
import { UserError, type UserErrorReason } from './errors.ts';
import type { ClusterSnapshot, PodFacts, ReadFailureReason, RedisNode, UnreadServer } from './snapshot.ts';

/** Servers that were not read for the same reason. */
export interface UnreadGroup {
  readonly reason: ReadFailureReason;
  readonly servers: readonly UnreadServer[];
}

/** Whether not a single server of the cluster was read: then nothing is known of its slots, keys or health. */
export function isUnread({ nodes }: ClusterSnapshot): boolean {
  return nodes.every(({ view }) => view === undefined);
}

/** Of a cluster that has not been read. */
export function unreadSnapshot(ref: ClusterRef): ClusterSnapshot {
  return {
    ref,
    name: isKubernetesRef(ref) ? ref.name : describeRef(ref),
    takenAt: 0,
    ...{ nodes: [], unknownNodes: [], loosePods: [], workloads: [], unread: [], impostors: [] },
    ...{ otherParts: [], mergedFrom: [] },
  };
}

/** The servers that were not read, by reason, the most frequent reason first. */
export function unreadGroups({ unread }: Pick<ClusterSnapshot, 'unread'>): readonly UnreadGroup[] {
  return [...Map.groupBy(unread, reasonOf)]
    .map(([reason, servers]) => ({ reason, servers }))
    .sort((a, b) => b.servers.length - a.servers.length);
}

/** A pod's own trouble counts before what connecting to it said: a container that crashes refuses connections. */
function reasonOf({ pod, failure }: UnreadServer): ReadFailureReason {
  return pod !== undefined && !isRunning(pod) ? 'pod' : failure.reason;
}

/**
 * Whether the pod's server could answer: it was started, and its container neither ended nor waits to be started. While
 * the image of another container is pulled, the pod is Pending and its server runs.
 */
export function isRunning({ phase, running, ended, reason, ready }: PodFacts): boolean {
  return running === true || (phase === 'Running' && ended !== true && (reason === undefined || ready));
}

/** Whether signing in, as another user or over TLS, may make a server readable. */
export function mayNeedSignIn({ unread, nodes }: Pick<ClusterSnapshot, 'unread' | 'nodes'>): boolean {
  if (nodes.some(({ view }) => view?.denied !== undefined)) return true;
  return unread.some(({ failure: { reason } }) => isSignInReason(reason));
}

const signInReasons: readonly (ReadFailureReason | undefined)[] = [
  'password',
  'rejected',
  'tls',
  'command',
  'forbidden',
];

/**
 * Whether signing in may help: the server wants another user, password or certificate, or the Secret with the password may
 * not be read.
 */
function isSignInReason(reason: ReadFailureReason | undefined): boolean {
  return signInReasons.includes(reason);
}

/** What is wrong with the way to a server, or with who asks; such a server may be as healthy as any other. */
const deniedReasons: readonly ReadFailureReason[] = [
  'password',
  'rejected',
  'tls',
  'command',
  'forbidden',
  'not-clustered',
];

/** Why a member was not read that may well run; undefined where its server or its pod is what fails. */
export function whyDenied({ unreachable, health }: RedisNode): ReadFailureReason | undefined {
  if (unreachable === undefined || health === 'failed') return undefined;
  return deniedReasons.find((reason) => reason === unreachable.reason);
}

const oneReasons: Readonly<Partial<Record<ReadFailureReason, string>>> = {
  password: 'it requires a password',
  rejected: 'it rejects the user name and password',
  tls: 'its TLS connection failed',
  command: 'it denies a command that reading needs',
  forbidden: 'Kubernetes denies access',
  'not-clustered': 'it does not run in cluster mode',
};

/** As `reasonText`, of one server. */
export function deniedText(reason: ReadFailureReason): string {
  return oneReasons[reason] ?? 'it could not be reached';
}

/** How people call a server that was not read. */
export function serverName({ pod, address }: UnreadServer): string {
  return pod?.name ?? address ?? 'a server';
}

const reasons: Readonly<Record<Exclude<ReadFailureReason, 'pod'>, string>> = {
  password: 'the servers require a password',
  rejected: 'the servers reject the user name and password',
  tls: 'the TLS connection to the servers failed',
  command: 'the servers deny a command that reading needs',
  forbidden: 'Kubernetes denies access',
  timeout: 'the servers did not answer in time',
  'not-clustered': 'the servers do not run in cluster mode',
  unreachable: 'the servers could not be reached',
};

/** Why servers were not read, as part of a sentence. */
export function reasonText({ reason, servers }: UnreadGroup): string {
  if (reason !== 'pod') return reasons[reason];
  return `its pods are not running (${podReason(servers)})`;
}

/** Kubernetes' word for what most of the pods wait for. */
function podReason(servers: readonly UnreadServer[]): string {
  const [why] = [...Map.groupBy(servers, ({ pod }) => pod?.reason ?? pod?.phase ?? 'unknown')]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([text]) => text);
  return why ?? 'unknown';
}

/** Why nothing was read, as part of a sentence: the most frequent reason. */
export function whyUnread(snapshot: ClusterSnapshot): string {
  const [group] = unreadGroups(snapshot);
  if (group !== undefined) return reasonText(group);
  if (snapshot.loosePods.length > 0) return 'no server has answered yet';
  const [workload] = snapshot.workloads;
  if (workload === undefined) return 'it has no known server';
  return workload.replicas === 0
    ? `${workload.kind} ${workload.name} is scaled to 0 pods`
    : `${workload.kind} ${workload.name} has no pods yet`;
}

const shortReasons: Readonly<Record<Exclude<ReadFailureReason, 'pod'>, string>> = {
  password: 'password required',
  rejected: 'sign-in rejected',
  tls: 'TLS failed',
  command: 'command denied',
  forbidden: 'no permission',
  timeout: 'no answer in time',
  'not-clustered': 'not in cluster mode',
  unreachable: 'unreachable',
};

/** As `whyUnread`, in as few words as a row has room for in a narrow side bar. */
export function whyUnreadShort(snapshot: ClusterSnapshot): string {
  const [group] = unreadGroups(snapshot);
  if (group === undefined) return whyUnread(snapshot);
  return group.reason === 'pod' ? podReason(group.servers) : shortReasons[group.reason];
}

/** What the servers or Kubernetes said, word for word, once for all servers of which the same was said. */
export function unreadEvidence({ reason, servers }: UnreadGroup): readonly string[] {
  const said = ({ pod, failure }: UnreadServer): string =>
    (reason === 'pod' ? (pod?.reasonMessage ?? pod?.reason) : undefined) ?? failure.message;
  const named = servers.map((server) => ({ server, text: withoutName(said(server), serverName(server)) }));
  return [...Map.groupBy(named, ({ text }) => text)].map(
    ([text, those]) => `${shortList(those.map(({ server }) => serverName(server)))}: ${text}`,
  );
}

/** So that what is said of one pod is the same text as what is said of another. */
function withoutName(text: string, name: string): string {
  return text
    .replaceAll(`Redis at pod ${name}`, 'Redis')
    .replaceAll(`Redis at ${name}`, 'Redis')
    .replaceAll(name, '…');
}

/** `a, b, c`, and how many more where there are many. */
export function shortList(names: readonly string[], most = 6): string {
  if (names.length <= most) return names.join(', ');
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}

const userReasons: Readonly<Partial<Record<ReadFailureReason, UserErrorReason>>> = {
  password: 'sign-in-needed',
  rejected: 'sign-in-needed',
  tls: 'tls',
  command: 'forbidden',
  forbidden: 'forbidden',
};

/**
 * The refusal of every change to a cluster of which nothing was read: what it holds and who serves it is not known. The
 * one place for it, since no plan can be made of such a reading and none of its words would be true.
 */
export function unreadError(snapshot: ClusterSnapshot): UserError {
  const groups = unreadGroups(snapshot);
  const reason = userReasons[groups[0]?.reason ?? 'unreachable'] ?? 'unreachable';
  const details = groups.flatMap(unreadEvidence).slice(0, 3).map(asSentence);
  const text = [`${describeRef(snapshot.ref)} cannot be read: ${whyUnread(snapshot)}.`, ...details];
  return new UserError(reason, `${text.join(' ')} What it holds is unknown. Nothing was changed.`);
}

/** A text of a server or of Kubernetes that another sentence can follow. */
export function asSentence(text: string): string {
  const trimmed = text.trim();
  return /[.!?…)]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
