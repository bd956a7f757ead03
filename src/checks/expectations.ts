import type { Finding } from '../model/finding.ts';
import { emptyParts } from '../model/parts.ts';
import { quantity } from '../model/quantity.ts';
import { countSlots, subtractSlots, unionSlots } from '../model/slots.ts';
import type { ClusterSnapshot, RedisNode, RunningWork } from '../model/snapshot.ts';

/** What work on a cluster does to it, as far as a reading shows it meanwhile. */
type Effect = 'moves' | 'turns' | 'restarts' | 'joins' | 'leaves' | 'forms';

/** By command: `rollout` and `podsStarting` are a StatefulSet's own work. What is not here is seen in no reading. */
const effects: Readonly<Record<string, readonly Effect[]>> = {
  reshard: ['moves'],
  rebalance: ['moves'],
  heal: ['moves', 'joins'],
  fix: ['moves', 'forms'],
  addShard: ['moves', 'joins'],
  removeShard: ['moves', 'leaves'],
  scale: ['moves', 'joins', 'leaves'],
  moveMastersOff: ['turns'],
  promote: ['turns'],
  replicate: ['turns'],
  forget: ['leaves'],
  deploy: ['joins', 'forms'],
  delete: ['leaves', 'restarts'],
  upgrade: ['restarts', 'turns'],
  rollingRestart: ['restarts', 'turns'],
  rotatePassword: ['restarts', 'turns'],
  rollout: ['restarts', 'turns'],
  podsStarting: ['joins', 'forms'],
};
/** A Lease that does not say its command may be of any of these. */
const unknownEffects: readonly Effect[] = ['moves', 'turns', 'restarts', 'joins', 'leaves'];
/** A server that runs for less than this has just started, and hears of its cluster by and by. */
const youngSeconds = 60;
/** Replicas are connected again this long after their master's pod is ready. */
const recentSeconds = 30;
/** What a container waits for when nothing is wrong. */
const passing: readonly string[] = ['ContainerCreating', 'PodInitializing'];

type Expects = (finding: Finding, snapshot: ClusterSnapshot) => boolean;

/** Which findings of a rule each effect explains; everything that is not named here stays a fault. */
const expected: Readonly<Record<Effect, Readonly<Record<string, Expects>>>> = {
  moves: { 'open-slots': always, agreement: always, coverage: isHandedOver },
  turns: { agreement: always, mutual: always, 'replica-link': always, 'no-replica': hasReplica },
  restarts: {
    agreement: always,
    reachable: isTheOnlyOneAway,
    stranger: isTheOnlyOneAway,
    'replica-link': always,
    loading: always,
    'no-replica': hasReplica,
    'loose-pod': isPassing,
    'cluster-state': onlyYoung,
    mutual: isYoung,
    unread: isPartOnly,
  },
  joins: {
    reachable: isNewcomer,
    'loose-server': isJoining,
    agreement: always,
    'replica-link': isYoungPair,
    loading: isYoung,
    'no-replica': hasYoungReplica,
    'loose-pod': isPassing,
    'cluster-state': onlyYoung,
    mutual: isYoung,
    unread: isPartOnly,
  },
  leaves: {
    'loose-server': isJoining,
    agreement: always,
    mutual: always,
    unread: isPartOnly,
    reachable: servesNothing,
    stranger: always,
    'replica-link': always,
    'no-replica': hasReplica,
    'loose-pod': isPassing,
  },
  forms: { 'not-formed': isNew, coverage: isNew, 'cluster-state': isNew },
};
/** What gossip brings within seconds of an operation's end. */
const settling: readonly string[] = [
  'agreement',
  'mutual',
  'replica-link',
  'no-replica',
  'cluster-state',
  'loading',
];

/**
 * Work that Kubernetes itself does: a StatefulSet that replaces or starts its pods, whoever changed it. No way of
 * finding faults: a pod that failed is started again as well, which explains nothing but that it is not there yet.
 */
export function workloadWork({ workloads, nodes }: ClusterSnapshot): readonly RunningWork[] {
  return workloads.flatMap(({ name, replicas, readyReplicas, rollout }): readonly RunningWork[] => {
    if (rollout !== undefined) {
      const title = `StatefulSet ${name} is rolling out: ${rollout.updated} of ${quantity(rollout.of, 'pod')} updated`;
      return [{ title, operation: 'rollout' }];
    }
    if (readyReplicas >= replicas) {
      const isRecent = nodes.some(
        ({ pod, view }) => pod?.workload === name && view !== undefined && view.uptimeSeconds < recentSeconds,
      );
      return isRecent
        ? [{ title: `StatefulSet ${name} starts pods`, operation: 'podsStarting', ended: true }]
        : [];
    }
    const title = `StatefulSet ${name} is starting pods: ${readyReplicas} of ${replicas} are ready`;
    return [{ title, operation: 'podsStarting' }];
  });
}

/** `1 operation is running: Reshard 9 slots (by ann on ci-3).` */
export function runningSentence(running: readonly RunningWork[]): string {
  const names = running.map(({ title, holder }) =>
    holder === undefined ? title : `${title} (by ${holder})`,
  );
  const verb = running.length === 1 ? 'is' : 'are';
  return `${quantity(running.length, 'operation')} ${verb} running: ${names.join('; ')}.`;
}

/** A finding as it reads while that work runs: as it is, or as expected, with no remedy that changes anything. */
export function explained(
  finding: Finding,
  snapshot: ClusterSnapshot,
  running: readonly RunningWork[],
): Finding {
  if (finding.severity === 'info') return finding;
  const work = running.find((one) => isExpected(finding, snapshot, one));
  if (work === undefined) return finding;
  const when = work.ended === true ? `Expected just after “${work.title}”` : `Expected while ${named(work)}`;
  return {
    ...finding,
    severity: 'info',
    message: `${finding.message} ${when}.`,
    remedy: remedyOf(work),
    expected: true,
  };
}

function named({ title, operation }: RunningWork): string {
  return operation === 'rollout' || operation === 'podsStarting' ? title : `“${title}” runs`;
}

function remedyOf({ ended, holder, operation }: RunningWork): string {
  if (ended === true) return 'Wait a few seconds.';
  if (operation === 'rollout' || operation === 'podsStarting') return 'Wait until its pods are ready.';
  if (holder !== undefined) return `Wait until it has finished. ${holder} runs it.`;
  return 'Wait until it has finished; Cancel stops it at a safe point.';
}

function isExpected(finding: Finding, snapshot: ClusterSnapshot, { operation, ended }: RunningWork): boolean {
  if (ended === true && !settling.includes(finding.rule)) return false;
  const does = operation === undefined ? unknownEffects : (effects[operation] ?? []);
  // Pods that start form a cluster by themselves only where agents run beside the servers.
  const isFormed = operation !== 'podsStarting' || snapshot.workloads.some(({ bundled }) => bundled);
  return (isFormed ? does : does.filter((effect) => effect !== 'forms')).some(
    (effect) => expected[effect][finding.rule]?.(finding, snapshot) === true,
  );
}

function always(): boolean {
  return true;
}

/** Where nothing at all was read, no work explains it. */
function isPartOnly({ severity }: Finding): boolean {
  return severity !== 'error';
}

function nodesOf({ nodeIds }: Finding, { nodes }: Pick<ClusterSnapshot, 'nodes'>): readonly RedisNode[] {
  return nodes.filter(({ id }) => nodeIds.includes(id));
}

/** One at a time is restarted, and only while what it served has a replica that can take over. */
function isTheOnlyOneAway(finding: Finding, { nodes, strangers }: ClusterSnapshot): boolean {
  const away = nodes.filter(({ view }) => view === undefined);
  const gone = strangers.filter(({ flags }) => !flags.includes('handshake'));
  if (away.length + gone.length > 1) return false;
  const [node] = away;
  if (node === undefined) return finding.rule === 'stranger';
  // How its container ended says nothing of a pod that is being deleted: that is what ended it.
  const reason = node.pod?.deleting === true ? undefined : node.pod?.reason;
  if (reason !== undefined && !passing.includes(reason)) return false;
  return node.slots.length === 0 || nodes.some((one) => one.masterId === node.id && one.view !== undefined);
}

function servesNothing(finding: Finding, snapshot: ClusterSnapshot): boolean {
  return nodesOf(finding, snapshot).every(({ slots }) => slots.length === 0);
}

/** A replica whose pod is being replaced is listed, and for a moment nothing more is known of it. */
function hasReplica(finding: Finding, { nodes, strangers }: ClusterSnapshot): boolean {
  return [...nodes, ...strangers].some(
    ({ masterId }) => masterId !== undefined && finding.nodeIds.includes(masterId),
  );
}

/** One that is copying, and whose server or whose master's has just started. */
function hasYoungReplica(finding: Finding, { nodes }: ClusterSnapshot): boolean {
  const isYoungMaster = nodesOf(finding, { nodes }).some(young);
  return nodes.some(
    ({ masterId, view }) =>
      masterId !== undefined &&
      finding.nodeIds.includes(masterId) &&
      view !== undefined &&
      (isYoungMaster || view.uptimeSeconds <= youngSeconds),
  );
}

/** A replica connects again some seconds after its own start or its master's. */
function isYoungPair(finding: Finding, { nodes }: ClusterSnapshot): boolean {
  return nodesOf(finding, { nodes }).every(
    (node) => young(node) || nodes.some((other) => other.id === node.masterId && young(other)),
  );
}

function isYoung(finding: Finding, snapshot: ClusterSnapshot): boolean {
  return nodesOf(finding, snapshot).every(young);
}

/** Servers that have just started say that the cluster is down until they have heard from most masters. */
function onlyYoung(finding: Finding, snapshot: ClusterSnapshot): boolean {
  return finding.nodeIds.length * 2 < snapshot.nodes.length && isYoung(finding, snapshot);
}

function young({ view }: Pick<RedisNode, 'view'>): boolean {
  return view !== undefined && view.uptimeSeconds <= youngSeconds;
}

function isPassing({ message }: Finding, { loosePods }: ClusterSnapshot): boolean {
  return loosePods.some(
    ({ name, reason }) => message.includes(name) && (reason === undefined || passing.includes(reason)),
  );
}

/** Servers are not read at the same moment: a slot may leave one behind the reading of its target, which the others know. */
function isHandedOver({ slots = [] }: Finding, { nodes }: ClusterSnapshot): boolean {
  const answering = nodes.filter(({ view }) => view !== undefined);
  const ids = new Set(answering.map(({ id }) => id));
  const claimed = answering.flatMap(({ view }) => view?.others ?? []).filter(({ id }) => ids.has(id));
  return countSlots(subtractSlots(slots, unionSlots(...claimed.map((line) => line.slots)))) === 0;
}

/** Asked before it was introduced, listed by nodes that were asked later. */
function isNewcomer(finding: Finding, snapshot: ClusterSnapshot): boolean {
  return nodesOf(finding, snapshot).every(
    ({ role, slots, health }) => role === 'master' && slots.length === 0 && health === 'unreachable',
  );
}

/** Servers that hold nothing and are about to be introduced; one that lost its data is a fault all the same. */
function isJoining(_: Finding, snapshot: ClusterSnapshot): boolean {
  return emptyParts(snapshot).every(({ why }) => why === 'never-joined');
}

/** Nobody has a slot or a key yet. */
function isNew(_: Finding, { nodes }: ClusterSnapshot): boolean {
  return nodes.every(({ slots, view }) => slots.length === 0 && (view?.keys ?? 0) === 0);
}
