import { quantity } from '../../model/quantity.ts';
import { UserError } from '../../model/errors.ts';
import type { NodeView } from '../../model/nodeView.ts';
import type { PodFacts } from '../../model/snapshot.ts';
import { waitForPods, type Look, type WaitPorts } from './waitForPods.ts';

/** Milliseconds new nodes have for joining by themselves, by an agent or a script of their manifest's own. */
const ownJoinLimit = 20_000;
/** Milliseconds after which a node that was asked to join or to replicate is asked again. */
const repeatAfter = 10_000;

export interface JoinPorts extends WaitPorts {
  /** Asks the server in a pod for its own view; rejects where it does not answer. */
  readonly readNode: (namespace: string, pod: string, port: number) => Promise<NodeView>;
  /**
   * Lets a member of the cluster meet a node at its pod's address (CLUSTER MEET), after the server in that very pod has
   * said that it is this node. Rejects with a UserError `not-found` where the pod was replaced.
   */
  readonly joinNode: (
    pod: PodFacts,
    node: { readonly id: string; readonly busPort: number },
  ) => Promise<void>;
  /** Makes a node in a pod a replica of a master that it knows (CLUSTER REPLICATE). */
  readonly replicate: (pod: PodFacts, nodeId: string, masterId: string) => Promise<void>;
}

/** What is known of the cluster before it grows. */
export interface Growing {
  readonly namespace: string;
  readonly statefulSet: string;
  readonly pods: number;
  /** The manifests' agents join new pods; they are not interfered with. */
  readonly joinsByItself: boolean;
  /** Ids of the nodes that were members before. */
  readonly members: readonly string[];
  /** Ids of the masters that serve slots. */
  readonly masters: readonly string[];
}

export interface Seen {
  readonly pod: PodFacts;
  readonly view: NodeView;
}

/**
 * Waits until all pods are ready and their nodes are members, the new ones as replicas in touch with their masters;
 * joins those that do not do it by themselves.
 */
export async function joinAndAwait(growing: Growing, ports: JoinPorts): Promise<void> {
  const { namespace, statefulSet, pods: total } = growing;
  const joiner = createJoiner(growing, ports);
  await waitForPods(
    ports,
    { namespace, statefulSet, uid: undefined, pods: total },
    async (pods): Promise<Look> => {
      const seen = await readAll(pods, ports);
      await joiner(seen);
      const ready = pods.filter((pod) => pod.ready).length;
      const joined = seen.filter(({ view }) => view.others.length > 0).length;
      const replicas = seen.filter(({ view }) => isReplicaInTouch(view)).length;
      return {
        done: ready >= total && isGrown(growing, seen),
        progress: {
          text: `ready ${ready}/${total}, joined ${joined}/${total}, replicas connected ${replicas}`,
          done: joined,
          total,
          unit: 'nodes',
        },
      };
    },
  );
}

async function readAll(pods: readonly PodFacts[], { readNode }: JoinPorts): Promise<readonly Seen[]> {
  const running = pods.filter((pod) => pod.ip !== undefined && pod.phase === 'Running' && !pod.deleting);
  const answers = await Promise.allSettled(
    running.map(async (pod) => ({ pod, view: await readNode(pod.namespace, pod.name, pod.port) })),
  );
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
}

function isReplicaInTouch({ replication }: NodeView): boolean {
  return replication.role === 'replica' && replication.linkUp === true;
}

/** Whether every pod holds a member, and each new one is a replica in touch, none of a master that has too many. */
export function isGrown(growing: Growing, seen: readonly Seen[]): boolean {
  const { members, pods: total } = growing;
  return (
    seen.length >= total &&
    seen.every(({ view }) => view.clusterState === 'ok' && view.others.length >= total - 1) &&
    seen.every(({ view }) => members.includes(view.self.id) || isReplicaInTouch(view)) &&
    findCrowded(growing, seen) === undefined
  );
}

/**
 * A new replica whose master has at least two more than another one: pods that join by themselves at the same time, and
 * do not hear of each other for want of time, may choose the same master. Nodes that were members before stay where they are.
 */
function findCrowded(
  growing: Growing,
  seen: readonly Seen[],
): (Seen & { readonly target: string }) | undefined {
  const counts = countReplicas(growing.masters, seen);
  const [target, fewest] = [...counts].reduce(least, ['', Infinity]);
  const found = seen.findLast(
    ({ view }) =>
      view.replication.role === 'replica' &&
      !growing.members.includes(view.self.id) &&
      (counts.get(view.self.masterId ?? '') ?? 0) >= fewest + 2,
  );
  return found === undefined ? undefined : { ...found, target };
}

/** How many replicas each master that serves slots has, in the order of their ids. */
function countReplicas(masters: readonly string[], seen: readonly Seen[]): Map<string, number> {
  const counts = new Map([...currentMasters(masters, seen)].sort().map((id) => [id, 0]));
  for (const { view } of seen) {
    const { masterId = '' } = view.self;
    const before = counts.get(masterId);
    if (view.replication.role === 'replica' && before !== undefined) counts.set(masterId, before + 1);
  }
  return counts;
}

function least(best: [string, number], one: [string, number]): [string, number] {
  return one[1] < best[1] ? one : best;
}

/** Joins what does not join by itself; remembers when it last asked which node for what. */
function createJoiner(growing: Growing, ports: JoinPorts): (seen: readonly Seen[]) => Promise<void> {
  const { now } = ports;
  const asked = new Map<string, number>();
  let waitingSince: number | undefined;
  let joinedBefore = -1;
  const due = (what: string): boolean => {
    const before = asked.get(what);
    if (before !== undefined && now() - before < repeatAfter) return false;
    asked.set(what, now());
    return true;
  };
  return async (seen) => {
    const fresh = seen.filter(({ view }) => !growing.members.includes(view.self.id));
    const undecided = fresh.filter(({ view }) => view.replication.role === 'master');
    const crowded = undecided.length === 0 ? findCrowded(growing, seen) : undefined;
    if (crowded !== undefined && due(`spread ${crowded.pod.name}`)) {
      await ports.replicate(crowded.pod, crowded.view.self.id, crowded.target);
    }
    if (growing.joinsByItself) return;
    const settled = seen.length - undecided.length;
    if (undecided.length === 0 || settled !== joinedBefore) waitingSince = now();
    joinedBefore = settled;
    if (asked.size === 0 && now() - (waitingSince ?? now()) < ownJoinLimit) return;
    for (const { pod, view } of undecided) if (view.others.length === 0) await meet(pod, view, ports, due);
    await replicateAll(growing, seen, undecided, ports, due);
  };
}

async function meet(
  pod: PodFacts,
  view: NodeView,
  { joinNode }: JoinPorts,
  due: (what: string) => boolean,
): Promise<void> {
  if (view.keys > 0 || view.self.slots.length > 0) {
    throw new UserError(
      'unsafe',
      `The server in pod ${pod.name} is in no cluster but holds ${quantity(view.keys, 'key')}, which joining would delete. It was not changed.`,
    );
  }
  if (pod.ip === undefined || !due(`meet ${view.self.id}`)) return;
  try {
    await joinNode(pod, view.self);
  } catch (error) {
    // The pod that replaces it is read next.
    if (!(error instanceof UserError && error.reason === 'not-found')) throw error;
  }
}

/** Each node goes to the master with the fewest replicas then, the lowest id among equals, in the order of the pods. */
async function replicateAll(
  { masters }: Growing,
  seen: readonly Seen[],
  undecided: readonly Seen[],
  { replicate }: JoinPorts,
  due: (what: string) => boolean,
): Promise<void> {
  const counts = countReplicas(masters, seen);
  for (const { pod, view } of undecided) {
    const [target, count] = [...counts].reduce(least, ['', Infinity]);
    if (!counts.has(target)) return;
    counts.set(target, count + 1);
    const isKnown = view.others.some(({ id, flags }) => id === target && !flags.includes('handshake'));
    if (isKnown && view.keys === 0 && due(`replicate ${view.self.id}`)) {
      await replicate(pod, view.self.id, target);
    }
  }
}

/** The masters that serve slots now; those of before where none of them answers. */
function currentMasters(before: readonly string[], seen: readonly Seen[]): readonly string[] {
  const now = seen.filter(({ view }) => view.replication.role === 'master' && view.self.slots.length > 0);
  return now.length > 0 ? now.map(({ view }) => view.self.id) : before;
}
