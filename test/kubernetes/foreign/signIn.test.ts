import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { check, isSound } from '../../../src/checks/check.ts';
import { Inventory } from '../../../src/inventory/inventory.ts';
import type { RedisReading } from '../../../src/inventory/nodeReader.ts';
import type { PodFacts } from '../../../src/model/snapshot.ts';
import { connectNode, readNodeView } from '../../../src/redis/entry.ts';
import { until } from '../../support/adapterFixture.ts';
import { makeAuthority, type Authority } from '../../support/authority.ts';
import { operationsFixture, type OperationsFixture } from '../../support/operationsFixture.ts';
import { clusterInfoInTerminal, runInPod } from './inPod.ts';
import { chart } from './projects/bitnami.ts';
import { tutorial } from './projects/plain.ts';
import type { Maker, Shape } from './shape.ts';

const times = { connectTimeoutMs: 2_500, commandTimeoutMs: 2_500 };

let fixture: OperationsFixture;
let authority: Authority;
let inventory: Inventory;
let shapes: readonly Shape[];

before(async () => {
  fixture = await operationsFixture('signin', 'none');
  const { access, namespace, kubernetes } = fixture;
  authority = await makeAuthority('foreign');
  const tls = await authority.issue(['localhost']);
  // Names that releases have, and that companions have elsewhere; one exporter's image never comes.
  const release = { product: 'redis', image: 'redis7', mastersAlone: true } as const;
  shapes = [
    chart({ ...release, name: 'backup-cache', exporter: 'never-pulled/redis-exporter:0' }),
    chart({ ...release, name: 'session-init', tls }),
    tutorial('proxy', 'p4ss word $HOME'),
  ];
  const maker: Maker = {
    namespace,
    image: (key) => kubernetes.images[key],
    create: (object) => access.create({ ...object, metadata: { ...object.metadata, namespace } }),
    custom: () => Promise.reject(new Error('none of these has an operator')),
  };
  for (const shape of shapes) await shape.make(maker);
  await Promise.all(shapes.map(form));
  const dial: RedisReading['connectNode'] = (endpoint, credentials) =>
    connectNode(endpoint, credentials, times);
  inventory = new Inventory({
    redis: () => Promise.resolve({ connectNode: dial, connectPatiently: dial, readNodeView }),
    addressSource: (ref) => ({ ref, name: 'test', sandbox: false, credentials: () => Promise.resolve({}) }),
  });
  const source = { name: access.context, namespaces: [namespace], fingerprint: '' };
  inventory.setContexts([{ ...source, open: () => Promise.resolve(access) }]);
});

after(async () => {
  inventory.dispose();
  await authority.dispose();
  await fixture.close();
});

/** Whatever the phase of the pods is: a container whose image is not there keeps them Pending. */
async function runningPods(name: string): Promise<readonly PodFacts[]> {
  return until(async () => {
    const found = await fixture.access.discover(fixture.namespace);
    const pods = found.find(({ workload }) => workload.name === name)?.pods ?? [];
    return pods.length === 3 && pods.every(({ running, ip }) => running === true && ip !== undefined)
      ? pods
      : undefined;
  }, 60_000);
}

async function form({ name, cli }: Shape): Promise<void> {
  const pods = await runningPods(name);
  const [first] = pods;
  assert.ok(first);
  const addresses = pods.map(({ ip = '', port }) => `${ip}:${port}`);
  const create = `${cli} --cluster create ${addresses.join(' ')} --cluster-yes`;
  await until(async () => {
    const output = await runInPod(fixture.access, first, create);
    return output.includes('All 16384 slots covered') ? output : undefined;
  }, 30_000);
}

for (const name of ['backup-cache', 'session-init', 'proxy']) {
  test(`${name} is found, read, sound, and its terminal signed in`, { timeout: 60_000 }, async () => {
    const { namespace, access } = fixture;
    const shape = shapes.find((one) => one.name === name);
    const snapshot = await inventory.fresh({ context: access.context, namespace, name });
    const views = snapshot.nodes.flatMap(({ view }) => view ?? []);
    assert.deepEqual([snapshot.nodes.length, views.length, snapshot.unread], [3, 3, []]);
    assert.ok(isSound(check(snapshot)), JSON.stringify(check(snapshot)));
    const [node] = snapshot.nodes.filter(({ pod }) => pod?.name === `${name}-0`);
    assert.ok(node?.pod);
    const signIn = await inventory.podSignIn(access.context, node.pod);
    assert.equal(signIn.credentials.foundIn, shape?.foundIn);
    const shown = await clusterInfoInTerminal(access, node.pod, signIn);
    assert.match(shown, /cluster_size:3/, shown);
    assert.doesNotMatch(shown, /p4ss|NOAUTH|WRONGPASS/);
  });
}
