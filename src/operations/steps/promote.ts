import { messageOf, UserError } from '../../model/errors.ts';
import type { StepOf } from '../../model/plan.ts';
import { answers, nameOf } from '../nodes.ts';
import { promotable } from '../promote/refusals.ts';
import type { StepPorts } from './ports.ts';
import type { StepRun } from './step.ts';

/** Milliseconds a hand-over has: redis itself gives up after 5 s (CLUSTER_MF_TIMEOUT). An election is tried longer. */
const limits = { handOver: 6_000, force: 15_000, takeover: 5_000 } as const;
const tries = 3;
const pollEvery = 50;

/** Makes a replica the master of its shard. */
export const promote: StepRun<'promote'> = {
  isDone: ({ node }, snapshot) => {
    const own = snapshot.nodes.find(({ id }) => id === node);
    return answers(own) && own.role === 'master' && own.slots.length > 0;
  },
  check: ({ node, how }, snapshot) => {
    promotable(snapshot, node, how);
  },
  act: async (step, ports) => {
    const name = nameOf(ports.snapshot, step.node);
    ports.report({ text: `${name}: becoming master` });
    for (let attempt = 1; ; attempt++) {
      const answer = await ask(step, ports);
      if (await becameMaster(step, ports)) return;
      if (ports.signal.aborted) return;
      if (attempt === tries) {
        throw new UserError(
          'failed',
          `${name} did not become master within ${limits[step.how] / 1000} s (tried ${tries} times; it said: ${answer}). Its shard is as it was.`,
        );
      }
    }
  },
};

/** OK only means that it was begun (https://redis.io/docs/latest/commands/cluster-failover/). */
async function ask({ node, how }: StepOf<'promote'>, { dialer }: StepPorts): Promise<string> {
  const option = { handOver: [], force: ['FORCE'], takeover: ['TAKEOVER'] }[how];
  const connection = await dialer.dial(node);
  try {
    return String(await connection.call('CLUSTER', 'FAILOVER', ...option));
  } catch (error) {
    if (error instanceof UserError) throw error;
    return messageOf(error);
  } finally {
    connection.close();
  }
}

/** Whether the server itself says that it is a master with slots; after a hand-over its old master has to follow it. */
async function becameMaster({ node, how }: StepOf<'promote'>, ports: StepPorts): Promise<boolean> {
  const { dialer, redis, now, delay, signal, snapshot } = ports;
  const old = snapshot.nodes.find(({ id }) => id === node)?.masterId;
  const end = now() + limits[how];
  const readNode = async (id: string): ReturnType<typeof redis.readNodeView> => {
    const connection = await dialer.dial(id);
    try {
      return await redis.readNodeView(connection);
    } finally {
      connection.close();
    }
  };
  while (now() < end && !signal.aborted) {
    const { self, replication } = await readNode(node);
    if (replication.role === 'master' && self.slots.length > 0) {
      if (how !== 'handOver' || old === undefined) return true;
      const before = await readNode(old);
      if (before.replication.role === 'replica' && before.self.masterId === node) return true;
    }
    await delay(pollEvery, signal);
  }
  return false;
}
