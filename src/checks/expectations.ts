import type { Finding } from '../model/finding.ts';
import { formatSlots } from '../model/slots.ts';
import type { ClusterSnapshot, RunningWork } from '../model/snapshot.ts';
import {
  always,
  hasYoungReplica,
  isHandedOver,
  isJoining,
  isLeaving,
  isLinking,
  isLoading,
  isNew,
  isNewcomer,
  isOpenedByIt,
  isPartOnly,
  isPassing,
  isReplaced,
  isReplicaAway,
  isReplicaReplaced,
  isReset,
  isTheOnlyOneAway,
  isYoung,
  isYoungAndEmpty,
  isYoungMinority,
  isYoungPair,
  limitsMs,
  within,
  type Expects,
} from './passing.ts';

/** What work on a cluster does to it, as far as a reading shows it meanwhile. */
type Effect = 'moves' | 'turns' | 'restarts' | 'joins' | 'leaves' | 'forms' | 'replaces';

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
  deploy: ['moves', 'joins', 'forms'],
  delete: ['leaves', 'restarts'],
  upgrade: ['restarts', 'turns'],
  rollingRestart: ['restarts', 'turns'],
  rotatePassword: ['restarts', 'turns'],
  rollout: ['restarts', 'turns'],
  podsStarting: ['joins', 'forms', 'replaces'],
};
/** A Lease that does not say its command may be of any of these. */
const unknownEffects: readonly Effect[] = ['moves', 'turns', 'restarts', 'joins', 'leaves'];
const { handoverMs, spreadMs, readMs } = limitsMs;

/**
 * Which findings of a rule each effect explains, for which nodes and for how long; everything that is not named here
 * stays a fault. While slots move without a pause, some node always lags behind another by one block of slots.
 */
const expected: Readonly<Record<Effect, Readonly<Record<string, Expects>>>> = {
  moves: { 'open-slots': isOpenedByIt, agreement: always, coverage: within(handoverMs, isHandedOver) },
  turns: {
    coverage: within(handoverMs, isHandedOver),
    agreement: within(spreadMs, always),
    mutual: within(spreadMs, always),
    'replica-link': isLinking,
    'no-replica': isReplicaAway,
  },
  restarts: {
    coverage: within(handoverMs, isHandedOver),
    agreement: within(spreadMs, always),
    reachable: isTheOnlyOneAway,
    'unknown-node': isTheOnlyOneAway,
    'replica-link': isLinking,
    loading: isLoading,
    'no-replica': isReplicaAway,
    'loose-pod': isPassing,
    'cluster-state': isYoungMinority,
    mutual: isYoung,
    unread: within(readMs, isPartOnly),
  },
  joins: {
    reachable: within(readMs, isNewcomer),
    'loose-server': isJoining,
    agreement: within(spreadMs, always),
    'replica-link': isYoungPair,
    loading: isYoung,
    'no-replica': hasYoungReplica,
    'loose-pod': isReset,
    'cluster-state': isYoungAndEmpty,
    mutual: isYoung,
    unread: within(readMs, isPartOnly),
  },
  leaves: {
    'loose-server': isJoining,
    agreement: within(spreadMs, always),
    mutual: within(spreadMs, always),
    unread: within(readMs, isPartOnly),
    reachable: within(readMs, isLeaving),
    'unknown-node': within(readMs, always),
    'replica-link': isLinking,
    'no-replica': within(readMs, always),
    'loose-pod': isReset,
  },
  replaces: {
    coverage: within(handoverMs, isHandedOver),
    reachable: isReplaced,
    'unknown-node': isReplaced,
    'replica-link': within(handoverMs, always),
    'no-replica': isReplicaReplaced,
    'cluster-state': isYoungMinority,
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

/** For how long each finding was there in all readings, in milliseconds; a finding on several things, the longest. */
export function agesOf(
  findings: readonly Finding[],
  { history, takenAt }: ClusterSnapshot,
): readonly number[] {
  const parts = findings.map(partsOf);
  const ages = history?.ages('findings', parts.flat(), (part) => part, takenAt) ?? [];
  let at = 0;
  return parts.map((own) => Math.max(0, ...own.map(() => ages[at++] ?? 0)));
}

/** What a finding is on, each with its rule: slots, nodes, or else what it says. */
function partsOf({ rule, slots, nodeIds, message }: Finding): readonly string[] {
  const ranges = (slots ?? []).map((range) => formatSlots([range]));
  const about = ranges.length > 0 ? ranges : nodeIds.length > 0 ? nodeIds : [message];
  return about.map((part) => `${rule} ${part}`);
}

/**
 * A finding as it reads while that work runs: as it is, or as expected, with no remedy that changes anything.
 * @param ageMs for how long it was found
 */
export function explained(
  finding: Finding,
  snapshot: ClusterSnapshot,
  running: readonly RunningWork[],
  ageMs: number,
): Finding {
  if (finding.severity === 'info') return finding;
  const work = running.find((one) => isExpected(finding, snapshot, one, ageMs));
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
  if (holder !== undefined) return `Wait until it finishes. ${holder} runs it.`;
  return 'Wait until it finishes, or cancel it: it then stops at a safe point.';
}

function isExpected(finding: Finding, snapshot: ClusterSnapshot, work: RunningWork, ageMs: number): boolean {
  const { operation, ended } = work;
  if (ended === true && !settling.includes(finding.rule)) return false;
  const does = operation === undefined ? unknownEffects : (effects[operation] ?? []);
  // Pods that start form a cluster by themselves only where agents run beside the servers.
  const isFormed = operation !== 'podsStarting' || snapshot.workloads.some(({ bundled }) => bundled);
  return (isFormed ? does : does.filter((effect) => effect !== 'forms')).some(
    (effect) => expected[effect][finding.rule]?.(finding, snapshot, ageMs, work) === true,
  );
}
