/** What a scenario must come to; a limit that is not named is not one. */
export interface Requirement {
  readonly scenario: string;
  /** The requirement in words, as the table says it. */
  readonly must: string;
  readonly seconds?: number;
  readonly lost?: number;
  readonly errors?: number;
  readonly gapMs?: number;
}

const smooth = { must: '0 lost, 0 errors, gap < 100 ms', lost: 0, errors: 0, gapMs: 100 };
const keepsAll = { must: 'every key there, ≤ 10 s plus loading', seconds: 10, lost: 0 };

/** All scenarios on Kubernetes in the order of the table, those that a run leaves out as well. */
export const requirements = {
  'form-3-3': {
    scenario: 'form 3 masters + 3 replicas (median of 5)',
    must: 'healthy in ≤ 8 s',
    seconds: 8,
  },
  'form-6-6': {
    scenario: 'form 6 masters + 6 replicas (median of 5)',
    must: 'healthy in ≤ 12 s',
    seconds: 12,
  },
  'delete-replica': { scenario: 'delete a replica gracefully', ...smooth },
  'delete-master': { scenario: 'delete a master gracefully', ...smooth },
  'rolling-restart': { scenario: 'rolling restart', ...smooth },
  'kill-master': {
    scenario: "SIGKILL a master's process",
    must: 'back by itself, gap < 4 s, lost counted',
    gapMs: 4000,
  },
  'force-delete-master': {
    scenario: "force-delete a master's pod",
    must: 'back by itself, gap < 200 ms, lost counted',
    gapMs: 200,
  },
  'force-delete-all': { scenario: 'all pods force-deleted at once, all addresses change', ...keepsAll },
  'slow-odd-start': {
    scenario: 'all started again slowly, in odd order',
    must: 'every key there, ≤ 10 s after the last pod started',
    seconds: 10,
    lost: 0,
  },
  'scale-to-zero': { scenario: 'scaled to 0 and back', ...keepsAll },
  'lost-master-volume': {
    scenario: "a master's volume lost",
    must: 'recovered from its replica, no second cluster, every key there',
  },
  'lost-volume-0': {
    scenario: "pod 0's volume lost during a full restart",
    must: 'recovered from its replica, no second cluster, every key there',
  },
  'upgrade-redis': { scenario: 'upgrade Redis 7.0 → 8.0 → 8.6', ...smooth },
  'upgrade-redis-2': { scenario: 'the same with 2 replicas for each master', ...smooth },
  'upgrade-valkey': { scenario: 'upgrade Redis 7.0 → Valkey 8.1 → 9.1', ...smooth },
  'upgrade-kubectl': { scenario: 'upgrade Redis 7.0 → Valkey 8.1 by `kubectl set image` alone', ...smooth },
  drain: {
    scenario: 'each worker drained in turn',
    must: 'one pod at a time, 0 lost; then no master shares a worker with its only replica',
    lost: 0,
  },
  'drain-two': {
    scenario: 'two workers drained at once (overlay spread)',
    must: 'one pod at a time, 0 lost; then no master shares a worker with its only replica',
    lost: 0,
  },
  'worker-lost': {
    scenario: 'a worker lost (kubelet and containers gone)',
    // The servers themselves are asked; the client's gap also holds the 2 s it waits for an answer before it asks again.
    must: 'shards with a copy elsewhere serve within node timeout + 2 s, lost counted',
  },
  'scale-up': { scenario: '`kubectl scale` up to 12', must: '0 lost', lost: 0 },
  'scale-down': { scenario: '`kubectl scale` blindly down to 6', must: '0 lost', lost: 0 },
  'restarts-while-forming': {
    scenario: 'restarts during formation, 20 runs at random moments',
    must: 'always ends as one cluster of 3+3',
  },
  'rotate-password': {
    scenario: 'password rotated',
    must: '0 lost, 0 errors, no restart',
    lost: 0,
    errors: 0,
  },
  'rotate-certificates': {
    scenario: 'certificates rotated',
    must: '0 lost, 0 errors, no restart',
    lost: 0,
    errors: 0,
  },
  'network-cut': {
    scenario: "network cut for 30 s: a master and another shard's replica on the minority side",
    must: 'majority serves, minority refuses after the node timeout, one view afterwards; lost counted',
  },
  'memory-limit': {
    scenario: 'memory limit reached',
    must: 'clear state, other shards unaffected, recovers',
  },
  'volume-full': {
    scenario: 'volume full',
    must: 'clear state, other shards unaffected, recovers when space returns',
  },
} as const satisfies Readonly<Record<string, Requirement>>;

export type ScenarioId = keyof typeof requirements;
