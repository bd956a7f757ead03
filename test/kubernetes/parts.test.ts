import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Inventory } from '../../src/inventory/inventory.ts';
import type { KubernetesClusterRef } from '../../src/model/clusterRef.ts';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { planFix } from '../../src/operations/fix.ts';
import { connectNode, readNodeView } from '../../src/redis/entry.ts';
import { adapterImage, startAdapterFixture, until, type AdapterFixture } from '../support/adapterFixture.ts';

const times = { connectTimeoutMs: 2_500, commandTimeoutMs: 2_500 };
let fixture: AdapterFixture;
let inventory: Inventory;
let ref: KubernetesClusterRef;

before(async () => {
  fixture = await startAdapterFixture();
  const { access, namespace, context } = fixture;
  ref = { context, namespace, name: 'shop' };
  const labels = { app: 'shop' };
  const container = {
    name: 'redis',
    image: adapterImage,
    command: ['redis-server', '--cluster-enabled', 'yes', '--protected-mode', 'no', '--dir', '/tmp'],
    ports: [{ containerPort: 6379 }],
    readinessProbe: { tcpSocket: { port: 6379 }, periodSeconds: 1 },
  };
  await access.create({
    ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'shop', namespace } },
    spec: {
      ...{ serviceName: 'shop', replicas: 3, podManagementPolicy: 'Parallel' },
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [container] } },
    },
  });
  const pods = await Promise.all([0, 1, 2].map((index) => fixture.readyPod(`shop-${index}`)));
  const addresses = pods.map(({ ip }) => `${ip ?? ''}:6379`);
  await cli('shop-0', ['--cluster', 'create', ...addresses, '--cluster-yes']);
  inventory = new Inventory({
    redis: () =>
      Promise.resolve({
        connectNode: (endpoint, credentials) => connectNode(endpoint, credentials, times),
        connectPatiently: (endpoint, credentials) => connectNode(endpoint, credentials, times),
        readNodeView,
      }),
    addressSource: (ref) => ({ ref, name: 'test', sandbox: false, credentials: () => Promise.resolve({}) }),
  });
  inventory.setContexts([
    { name: context, namespaces: [namespace], fingerprint: '', open: () => Promise.resolve(access) },
  ]);
});

after(async () => {
  inventory.dispose();
  await fixture.stop();
});

async function cli(pod: string, words: readonly string[]): Promise<void> {
  let output = '';
  const session = await fixture.access.exec(
    fixture.namespace,
    pod,
    'redis',
    ['redis-cli', ...words],
    (text) => {
      output += text;
    },
  );
  assert.equal((await session.done).exitCode, 0, output);
}

const reading = (isWanted: (snapshot: ClusterSnapshot) => boolean): Promise<ClusterSnapshot> =>
  until(async () => {
    const snapshot = await inventory.fresh(ref);
    return isWanted(snapshot) ? snapshot : undefined;
  });

describe('a cluster that has fallen apart', { timeout: 240_000 }, () => {
  test('keeps its name with the part that holds the keys, and is not changed before a part is chosen', async () => {
    const whole = await reading(({ nodes }) => nodes.every(({ view }) => view?.clusterState === 'ok'));
    assert.deepEqual([whole.nodes.length, whole.otherParts], [3, []]);
    for (let key = 0; key < 30; key++) await cli('shop-0', ['-c', 'SET', `key:${key}`, 'x']);

    const lost = whole.nodes.find(({ pod }) => pod?.name === 'shop-0');
    await fixture.access.delete('v1', 'Pod', ref.namespace, 'shop-0');
    // In between, too, what is not there is a member that does not answer and no cluster of its own.
    const empty = await reading(({ nodes, otherParts }) => {
      assert.equal(nodes.filter(({ view }) => view !== undefined).length >= 2, true);
      return otherParts.length > 0;
    });
    assert.deepEqual(
      empty.otherParts.map(({ why, keys, nodes: [node] }) => [why, keys, node?.pod?.name]),
      [['lost-volume', 0, 'shop-0']],
    );
    assert.equal(empty.nodes.find(({ id }) => id === lost?.id)?.view, undefined);

    await cli('shop-0', ['CLUSTER', 'ADDSLOTSRANGE', '0', '5460']);
    const apart = await reading(({ otherParts }) => otherParts.some(({ slots }) => slots.length > 0));
    assert.deepEqual(
      apart.otherParts.map(({ why }) => why),
      ['lost-identity'],
    );
    assert.equal(apart.nodes.filter(({ view }) => view !== undefined).length, 2);
    assert.throws(() => planFix(apart, new Map()), /shop .* is split into 2 parts/);
    const { clusters = [] } = inventory.contexts()[0]?.scopes[0] ?? {};
    assert.deepEqual(
      clusters.map(({ name }) => name),
      ['shop'],
    );
  });
});
