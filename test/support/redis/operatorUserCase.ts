import assert from 'node:assert/strict';
import { formatAddress } from '../../../src/model/clusterRef.ts';
import type { Plan } from '../../../src/operations/plans/plan.ts';
import { agreed } from '../../../src/operations/servers/agreed.ts';
import { type NewServer } from '../../../src/operations/addShard.ts';
import { planCreateOperatorUser } from '../../../src/operations/createOperatorUser.ts';
import { readOperatorUserFacts } from '../../../src/operations/users/facts.ts';
import { hashOf, rulesFor, writeUser } from '../../../src/operations/users/onServer.ts';
import type { PlanResult } from '../../../src/operations/run/planResult.ts';
import { runPlan } from '../../../src/operations/run/runPlan.ts';
import { withConnection } from '../../../src/operations/servers/withConnection.ts';
import { connectNode } from '../../../src/redis/connect.ts';
import * as redis from '../../../src/redis/entry.ts';
import type { ClusterDialer } from '../../../src/redis/nodeConnection.ts';
import { startRedisCluster, type ClusterNode, type TestCluster } from '../startRedisCluster.ts';
import { readAnyway } from './readAnyway.ts';
import { runPorts } from './runPorts.ts';

export const admin = 'open sesame';
export const operator = { username: 'ops', password: 'ge nerated' };
const times = { connectTimeoutMs: 3000, commandTimeoutMs: 15_000 };
export const library = "#!lua name=shop\nredis.register_function('price', function() return 7 end)";

const clusters: TestCluster[] = [];

/** Ends all clusters that were started here. */
export async function stopAll(): Promise<void> {
  await Promise.all(clusters.map((cluster) => cluster.stop()));
}

export async function start(options: Parameters<typeof startRedisCluster>[0]): Promise<TestCluster> {
  const config = {
    'repl-diskless-sync-delay': '0',
    'cluster-require-full-coverage': 'no',
    ...options?.config,
  };
  const cluster = await startRedisCluster({ ...options, password: admin, config });
  clusters.push(cluster);
  return cluster;
}

export const portsOf = (cluster: TestCluster): ReturnType<typeof runPorts> =>
  runPorts(cluster, { readSnapshot: () => agreed(() => readAnyway(cluster), 30_000) });

export const run = (cluster: TestCluster, plan: Plan): Promise<PlanResult> => runPlan(plan, portsOf(cluster));

/** The same cluster, signed in to as the operator. */
export function asOperator(cluster: TestCluster): TestCluster {
  const dialer: ClusterDialer = {
    credentials: operator,
    dial: async (id) => {
      const node = cluster.nodes.find((one) => one.id === id);
      assert.ok(node, id);
      return await connectNode(node, operator, times);
    },
  };
  return { ...cluster, dialer };
}

export async function plan(cluster: TestCluster, user = operator.username): Promise<Plan> {
  const snapshot = await readAnyway(cluster);
  const facts = await readOperatorUserFacts(snapshot, user, cluster.dialer, undefined);
  return planCreateOperatorUser(snapshot, { user }, facts);
}

export const create = async (cluster: TestCluster, made: Plan): Promise<PlanResult> =>
  runPlan(made, { ...portsOf(cluster), newPassword: operator.password });

/** Servers that are no members yet get the user as pods do that start with it. */
export async function createOnSpare(cluster: TestCluster, { id }: ClusterNode): Promise<void> {
  await withConnection(cluster, id, async (line) =>
    writeUser(line, id, operator.username, await rulesFor(line, id), hashOf(operator.password)),
  );
}

export async function probe(cluster: TestCluster, node: ClusterNode): Promise<NewServer> {
  const { self, others, keys } = await withConnection(cluster, node.id, (line) => redis.readNodeView(line));
  const { id, slots, busPort } = self;
  const { host, port } = node;
  const address = formatAddress(node);
  return { ...{ address, id, host, port, busPort, keys }, slots: slots.length, others: others.length };
}

/** What any server has refused the operator, by its own log. */
export async function refusals(cluster: TestCluster): Promise<readonly string[]> {
  const logs = await Promise.all(
    cluster.nodes.map(({ host, port }) =>
      connectNode({ host, port }, { password: admin }, times).then(
        async (line) => {
          const log = await line.call('ACL', 'LOG').finally(() => {
            line.close();
          });
          return JSON.stringify(log);
        },
        () => '[]',
      ),
    ),
  );
  return logs.filter((log) => log.includes(operator.username));
}
