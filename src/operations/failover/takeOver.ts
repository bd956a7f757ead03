import { quantity } from '../../model/quantity.ts';
import { messageOf, UserError } from '../../model/errors.ts';
import type { NodeView } from '../../model/nodeView.ts';
import type { NodeConnection } from '../../redis/nodeConnection.ts';

/** With its master, without it, or without the votes of the others. https://redis.io/docs/latest/commands/cluster-failover/ */
export type PromoteHow = 'handOver' | 'force' | 'takeover';

/** Who takes over from whom; nodes by their ids. */
export interface TakeOver {
  readonly candidate: string;
  /** Undefined where it is not known; needed for `handOver`, which ends only when it follows the candidate. */
  readonly old: string | undefined;
  /** The masters with slots, whose votes an election needs. */
  readonly voters: readonly string[];
  /** Nodes that answered: after a takeover all of them have to know of it before there is another one. */
  readonly members?: readonly string[];
  readonly how: PromoteHow;
}

export interface TakeOverPorts {
  readonly readNode: (id: string) => Promise<NodeView>;
  readonly withNode: <T>(id: string, use: (connection: NodeConnection) => Promise<T>) => Promise<T>;
  /** The cluster-node-timeout of a server, in milliseconds. */
  readonly readNodeTimeout: (connection: NodeConnection) => Promise<number>;
  readonly now: () => number;
  readonly delay: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Milliseconds a hand-over has: redis itself gives up after 5 s (CLUSTER_MF_TIMEOUT). An election is tried longer. */
const limits = { handOver: 6_000, force: 15_000, takeover: 5_000 } as const;
/** Milliseconds until the voters have heard what the candidate is; gossip takes half of cluster-node-timeout at most. */
const knownWithin = 15_000;
/** A replica whose election failed tries no other before four node timeouts are over (`auth_retry_time`). */
const retryTimeouts = 4;
const tries = 2;
const pollEvery = 50;

/**
 * Makes a replica the master of its shard and returns when the servers themselves say so, or when the signal is aborted.
 * A master denies its vote to a node that it still takes for a master, and to an epoch that is behind its own; an
 * election lost by that stands still for four node timeouts, and a hand-over's clients wait 5 s for nothing. So it asks
 * only when the voters know the replica as what it is. Rejects with what the server said, or what is not known yet.
 */
export async function takeOver(wanted: TakeOver, ports: TakeOverPorts): Promise<void> {
  const { candidate, how } = wanted;
  const { now, delay, signal } = ports;
  const isStopped = (): boolean => signal.aborted;
  for (let attempt = 1; ; attempt++) {
    if (how !== 'takeover') await untilElectable(wanted, ports);
    if (isStopped()) return;
    const begun = now();
    const answer = await ask(wanted, ports);
    if ((await hasTakenOver(wanted, ports)) || isStopped()) {
      if (how === 'takeover') await untilKnown(wanted, ports);
      return;
    }
    if (attempt === tries) {
      throw new UserError(
        'failed',
        `it did not become master within ${limits[how] / 1000} s (tried ${tries} times; its last reply: ${answer})`,
      );
    }
    const timeout = await ports.withNode(candidate, ports.readNodeTimeout);
    await delay(begun + retryTimeouts * timeout - now(), signal);
  }
}

/** OK only means that it was begun (https://redis.io/docs/latest/commands/cluster-failover/). */
function ask({ candidate, how }: TakeOver, { withNode }: TakeOverPorts): Promise<string> {
  const option = { handOver: [], force: ['FORCE'], takeover: ['TAKEOVER'] }[how];
  return withNode(candidate, async (connection) => {
    try {
      return String(await connection.call('CLUSTER', 'FAILOVER', ...option));
    } catch (error) {
      if (error instanceof UserError) throw error;
      return messageOf(error);
    }
  });
}

/** All voters that answer have to know the candidate; when the time is up, a majority of all voters is enough. */
async function untilElectable(wanted: TakeOver, ports: TakeOverPorts): Promise<void> {
  const { readNode, now, delay, signal } = ports;
  const end = now() + knownWithin;
  while (!signal.aborted) {
    const own = await readNode(wanted.candidate);
    const views = await Promise.all(wanted.voters.map((id) => readNode(id).catch(() => undefined)));
    const answering = views.filter((view) => view !== undefined);
    const knowing = answering.filter((view) => knows(view, own, wanted));
    if (knowing.length === answering.length) return;
    if (now() > end) {
      if (knowing.length * 2 > views.length) return;
      throw new UserError(
        'failed',
        `only ${knowing.length} of ${quantity(views.length, 'master')} knew within ${knownWithin / 1000} s that it is a replica, and an election needs the votes of more than half`,
      );
    }
    await delay(pollEvery, signal);
  }
}

function knows(voter: NodeView, candidate: NodeView, { old }: TakeOver): boolean {
  const seen = voter.others.find(({ id }) => id === candidate.self.id);
  if (seen?.flags.includes('slave') !== true) return false;
  return (old === undefined || seen.masterId === old) && voter.currentEpoch <= candidate.currentEpoch;
}

/** Whether the server itself says that it is a master with slots; after a hand-over its old master has to follow it. */
async function hasTakenOver({ candidate, old, how }: TakeOver, ports: TakeOverPorts): Promise<boolean> {
  const { readNode, now, delay, signal } = ports;
  const end = now() + limits[how];
  while (now() < end && !signal.aborted) {
    const { self, replication } = await readNode(candidate);
    if (replication.role === 'master' && self.slots.length > 0) {
      if (how !== 'handOver' || old === undefined) return true;
      const before = await readNode(old);
      if (before.replication.role === 'replica' && before.self.masterId === candidate) return true;
    }
    await delay(pollEvery, signal);
  }
  return false;
}

/**
 * Waits until all members have heard of a takeover, which chose its epoch without asking: the next one has to choose a
 * higher one. When the time is up it is for that one to find out.
 */
async function untilKnown({ candidate, members = [] }: TakeOver, ports: TakeOverPorts): Promise<void> {
  const { readNode, now, delay, signal } = ports;
  const end = now() + knownWithin;
  while (now() < end && !signal.aborted) {
    const { self } = await readNode(candidate);
    const views = await Promise.all(members.map((id) => readNode(id).catch(() => undefined)));
    const isKnown = views.every(
      (view) =>
        view === undefined ||
        view.self.id === candidate ||
        view.others.some(
          ({ id, configEpoch, slots }) =>
            id === candidate && configEpoch === self.configEpoch && slots.length > 0,
        ),
    );
    if (isKnown) return;
    await delay(pollEvery, signal);
  }
}
