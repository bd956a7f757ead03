import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { after, test } from 'node:test';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { planHeal } from '../../src/operations/heal.ts';
import { readHealFacts } from '../../src/operations/repair/openFacts.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import { startRedisCluster, type ClusterNode, type TestCluster } from '../support/startRedisCluster.ts';
import { pod } from '../unit/sample.ts';
import { until, withNode } from '../support/redis/moveFixture.ts';
import { readAnyway } from '../support/redis/readAnyway.ts';
import { runPorts } from '../support/redis/runPorts.ts';

const ends: (() => Promise<void>)[] = [];
after(async () => {
  await Promise.all(ends.map((end) => end()));
});

/** Where a node is reached by others, as by a NodePort or a load balancer for each pod. */
interface Front {
  readonly host: string;
  readonly port: number;
  readonly busPort: number;
}

/** Forwards connections from an address of its own to a server's port; returns the port there. */
async function forward(host: string, port: number): Promise<number> {
  const server = createServer((socket) => {
    const other = connect(port, '127.0.0.1');
    socket.pipe(other).pipe(socket);
    const end = (): void => {
      socket.destroy();
      other.destroy();
    };
    socket.on('error', end).on('close', end);
    other.on('error', end).on('close', end);
  });
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  server.once('error', reject).listen(0, host, () => {
    resolve(undefined);
  });
  await promise;
  server.unref();
  ends.push(async () => {
    server.close();
    await Promise.resolve();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

async function announce(cluster: TestCluster, node: ClusterNode): Promise<Front> {
  const host = `127.0.7.${node.number + 1}`;
  const front = {
    host,
    port: await forward(host, node.port),
    busPort: await forward(host, node.port + 10_000),
  };
  await withNode(cluster, node, async (line) => {
    await line.call('CONFIG', 'SET', 'cluster-announce-port', front.port);
    await line.call('CONFIG', 'SET', 'cluster-announce-bus-port', front.busPort);
    await line.call('CONFIG', 'SET', 'cluster-announce-ip', host);
  });
  return front;
}

/** The cluster as if its servers were in pods that have the addresses on which they listen. */
async function readInPods(cluster: TestCluster): Promise<ClusterSnapshot> {
  const snapshot = await readAnyway(cluster);
  const nodes = snapshot.nodes.map((node) => {
    const number = cluster.nodes.findIndex(({ id }) => id === node.id);
    return { ...node, pod: pod(`cart-${number}`, '127.0.0.1') };
  });
  return { ...snapshot, ref: { context: 'test', namespace: 'shop', name: 'cart' }, nodes };
}

test('nodes that announce other addresses than their pods have: a whole cluster is left alone, and one apart is introduced by these', async () => {
  const cluster = await startRedisCluster({ replicasPerMaster: 1 });
  ends.push(() => cluster.stop());
  const fronts = new Map<string, Front>();
  for (const node of cluster.nodes) fronts.set(node.id, await announce(cluster, node));
  const areKnown = async (): Promise<boolean> =>
    (await readAnyway(cluster)).nodes.every(
      ({ view }) =>
        view?.others.length === 5 &&
        view.others.every(({ id, host, port, busPort, linkState }) => {
          const front = fronts.get(id);
          const isThere = host === front?.host && port === front.port && busPort === front.busPort;
          return isThere && linkState === 'connected';
        }),
    );
  await until(areKnown, 'that all know the announced addresses');
  const whole = await readInPods(cluster);
  const facts = await readHealFacts(whole, cluster.dialer);
  assert.deepEqual(facts.announced, new Map([...fronts].map(([id, { host }]) => [id, host])));
  assert.throws(() => planHeal(whole, facts), /know each other’s addresses/);

  const lost = cluster.nodes[5];
  assert.ok(lost);
  for (const node of cluster.nodes.slice(0, 5)) {
    await withNode(cluster, node, (line) => line.call('CLUSTER', 'FORGET', lost.id));
  }
  const apart = await readInPods(cluster);
  const plan = planHeal(apart, await readHealFacts(apart, cluster.dialer));
  assert.ok(plan.steps.some((step) => step.kind === 'meet' && step.node === lost.id));
  for (const step of plan.steps) {
    if (step.kind !== 'meet') assert.fail(`${step.kind} was planned`);
    const { host, port, busPort } = step;
    assert.deepEqual({ host, port, busPort }, fronts.get(step.node));
  }
  await runPlan(plan, runPorts(cluster, { readSnapshot: () => readInPods(cluster) }));
  await until(areKnown, 'that all know each other again');
});
