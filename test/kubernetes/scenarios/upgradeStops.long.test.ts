import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { KubernetesAccess } from '../../../src/kubernetes/kubernetesAccess.ts';
import { prepareDeploy } from '../../../src/operations/deploy.ts';
import { prepareUpgrade } from '../../../src/operations/upgrade.ts';
import { readPods, readSet } from '../../../src/operations/statefulSets/facts.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { UserError } from '../../../src/model/errors.ts';
import { snapshotOf, type ClusterPorts } from '../../support/clusterPorts.ts';
import { manifestFiles } from '../../support/manifestFiles.ts';
import { operationsFixture, type OperationsFixture } from '../../support/operationsFixture.ts';
import { deployOver, runOver } from '../../support/planPorts.ts';

const name = 'shop';
let fixture: OperationsFixture;
let access: KubernetesAccess;
let namespace: string;
let ports: ClusterPorts;
let image: string;

before(async () => {
  fixture = await operationsFixture('upgrade-stops', name);
  ({ access, namespace, ports } = fixture);
  image = fixture.kubernetes.images.redis8;
  const answers = { namespace, name, masters: 3, replicasPerMaster: 1, storage: '1Gi', image };
  await deployOver(ports, await prepareDeploy(access, manifestFiles(), { ...answers, auth: 'generate' }));
});

after(() => fixture.close());

function ref() {
  return { context: access.context, namespace, name };
}

function snapshot(of: ClusterPorts = ports): Promise<ClusterSnapshot> {
  return snapshotOf(of, ref());
}

/** As the tree has it when one pod's server does not answer: of the others. */
async function snapshotWithout(pod: string): Promise<ClusterSnapshot> {
  const readNode: ClusterPorts['readNode'] = (within, other, port) =>
    ports.readNode(within, other === pod ? 'shop-0' : other, port);
  const found = await snapshot({ ...ports, readNode });
  return { ...found, nodes: found.nodes.filter((node) => node.pod?.name !== pod) };
}

async function uids(): Promise<readonly string[]> {
  return (await readPods(access, namespace, name)).map(({ uid }) => uid);
}

async function partition(): Promise<number | undefined> {
  return (await readSet(access, namespace, name)).partition;
}

test('an image that cannot be had stops at the first pod, and the old image brings it back alone', async () => {
  const before = await uids();
  const missing = await prepareUpgrade(access, await snapshot(), { image: 'localhost:1/redis:8.0.9' });
  await assert.rejects(runOver(ports, { ...missing, ref: ref() }), (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.match(error.message, /Pod shop-5 cannot pull its image localhost:1\/redis:8\.0\.9/);
    assert.match(
      error.message,
      /1 of 8 steps done\. Not started: .*shop-4.*partition.*upgrade to .*redis:8\.0\.2/,
    );
    return true;
  });
  assert.equal(await partition(), 5);
  assert.deepEqual((await uids()).slice(0, 5), before.slice(0, 5));
  const back = await prepareUpgrade(access, await snapshotWithout('shop-5'), { image });
  const { updatedPods } = await runOver(ports, { ...back, ref: ref() });
  assert.deepEqual(updatedPods, ['shop-5']);
  assert.deepEqual((await uids()).slice(0, 5), before.slice(0, 5));
  assert.equal(await partition(), 0);
});

test('stopped between pods it says what is left, and goes on with that', async () => {
  const stop = new AbortController();
  const request = { config: { 'tcp-backlog': '1024' } };
  const first = await prepareUpgrade(access, await snapshot(), request);
  const report: ClusterPorts['report'] = ({ text }) => {
    if (text.includes('shop-3: waiting')) stop.abort();
  };
  const stopped = await runOver({ ...ports, signal: stop.signal, report }, { ...first, ref: ref() });
  assert.deepEqual([stopped.cancelled, stopped.updatedPods], [true, ['shop-5', 'shop-4']]);
  assert.match(stopped.notes?.join(' ') ?? '', /partition of StatefulSet shop keeps pods/);
  assert.equal(await partition(), 4);
  const { updatedPods } = await runOver(ports, {
    ...(await prepareUpgrade(access, await snapshot(), request)),
    ref: ref(),
  });
  assert.deepEqual(updatedPods, ['shop-3', 'shop-2', 'shop-1', 'shop-0']);
  for (const pod of ['shop-5', 'shop-0']) {
    const get = ['CONFIG', 'GET', 'tcp-backlog'] as const;
    const said = await ports.withNode(namespace, pod, 6379, (one) => one.call(...get));
    assert.deepEqual(said, ['tcp-backlog', '1024']);
  }
});
