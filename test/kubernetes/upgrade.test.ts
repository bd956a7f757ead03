import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { KubernetesAccess } from '../../src/kubernetes/kubernetesAccess.ts';
import { prepareDeploy } from '../../src/operations/deploy.ts';
import { prepareUpgrade } from '../../src/operations/upgrade.ts';
import { findDrift } from '../../src/operations/settings/drift.ts';
import { readSet } from '../../src/operations/statefulSets/facts.ts';
import type { ClusterDialer, NodeConnection } from '../../src/redis/nodeConnection.ts';
import { startChaosClient } from '../support/chaosClient.ts';
import { snapshotOf, type ClusterPorts } from '../support/clusterPorts.ts';
import { dnsAddress } from '../support/kubernetes/layout.ts';
import { manifestFiles } from '../support/manifestFiles.ts';
import { operationsFixture, refused, type OperationsFixture } from '../support/operationsFixture.ts';
import { deployOver, runOver } from '../support/planPorts.ts';
import type { TestKubernetes } from '../support/startKubernetes.ts';

const name = 'shop';
let fixture: OperationsFixture;
let kubernetes: TestKubernetes;
let access: KubernetesAccess;
let namespace: string;
let ports: ClusterPorts;

before(async () => {
  fixture = await operationsFixture('upgrade', name);
  ({ kubernetes, access, namespace, ports } = fixture);
  const answers = { namespace, name, masters: 3, replicasPerMaster: 1, storage: '1Gi' };
  const image = kubernetes.images.redis7;
  const plan = await prepareDeploy(access, manifestFiles(), { ...answers, image, auth: 'generate' });
  await deployOver(ports, plan);
});

after(() => fixture.close());

/** Connections of the ports stay theirs. */
function lent(dial: (id: string) => Promise<NodeConnection>): ClusterDialer['dial'] {
  return async (id) => ({ ...(await dial(id)), close: () => undefined });
}

const ref = (): { context: string; namespace: string; name: string } => ({
  context: access.context,
  namespace,
  name,
});

test('a setting and a newer image, pod by pod, while a client writes', async (t) => {
  const snapshot = await snapshotOf(ports, ref());
  const request = { image: kubernetes.images.redis8, config: { 'maxmemory-policy': 'allkeys-lru' } };
  const plan = await prepareUpgrade(access, snapshot, request);
  assert.match(plan.warnings.join('\n'), /no way back/);
  const password = await access.readSecret(namespace, { secret: `${name}-auth`, key: 'password' });
  assert.ok(password !== undefined);
  // By name: afterwards no pod has the address that it had before.
  const nodes = [{ host: `${name}-clients.${namespace}.svc.cluster.local`, port: 6379 }];
  const client = await startChaosClient({ nodes, nameServer: dnsAddress, password });
  const { updatedPods, seconds } = await runOver(ports, { ...plan, ref: ref() });
  const { acknowledged, missing, stale, errors, perShardLongestGapMs } = await client.stop();
  t.diagnostic(JSON.stringify({ seconds, acknowledged, errors, perShardLongestGapMs }));
  assert.deepEqual(updatedPods, ['shop-5', 'shop-4', 'shop-3', 'shop-2', 'shop-1', 'shop-0']);
  // How long a command may take says more of this machine than of the upgrade; nothing else may go wrong.
  const refusals = errors.filter((error) => !error.endsWith('Command timed out'));
  assert.deepEqual({ missing, stale, refusals }, { missing: 0, stale: 0, refusals: [] });
  const after = await snapshotOf(ports, ref());
  assert.deepEqual(
    after.nodes.map(({ id, view }) => [id, view?.version, view?.clusterState]),
    snapshot.nodes.map(({ id }) => [id, '8.0.2', 'ok']),
  );
  assert.equal((await readSet(access, namespace, name)).partition, 0);
  const shown = await ports.withNode(namespace, 'shop-4', 6379, (one) =>
    one.call('CONFIG', 'GET', 'maxmemory-policy'),
  );
  assert.deepEqual(shown, ['maxmemory-policy', 'allkeys-lru']);
});

test('a setting changed by hand is a notice; the ConfigMap keeps what was given to the upgrade', async () => {
  const drift = async (): Promise<readonly string[]> => {
    const snapshot = await snapshotOf(ports, ref());
    const pods = new Map(snapshot.nodes.map(({ id, pod }) => [id, pod?.name ?? '']));
    const dial = (id: string) => ports.dial(namespace, pods.get(id) ?? '');
    const findings = await findDrift(snapshot, access, { dial: lent(dial), credentials: {} });
    return findings.flatMap(({ rule, evidence }) => [rule, ...evidence]);
  };
  assert.deepEqual(await drift(), []);
  const set = ['CONFIG', 'SET', 'maxmemory-policy', 'noeviction'];
  await ports.withNode(namespace, 'shop-2', 6379, (one) => one.call(...set));
  assert.deepEqual(await drift(), [
    'configuration-drift',
    'redis.conf: maxmemory-policy allkeys-lru',
    'shop-2: noeviction',
  ]);
});

test('the same again is refused, as are Valkey after Redis 8 and volumes that cannot grow', async () => {
  const snapshot = await snapshotOf(ports, ref());
  const refuses = (request: object, message: RegExp, reason = 'unsafe'): Promise<void> =>
    refused(prepareUpgrade(access, snapshot, request), reason, message);
  await refuses({ image: kubernetes.images.redis8 }, /already has all of these values/, 'nothing-to-do');
  await refuses(
    { image: kubernetes.images.valkey8 },
    /deploy a new cluster with Valkey.*Nothing was changed/,
  );
  await refuses({ image: kubernetes.images.redis7 }, /cannot read the files.*Nothing was changed/);
  await refuses({ storage: '2Gi' }, /StorageClass "standard" does not allow it.*Nothing was changed/);
  await refuses({ storage: '512Mi' }, /cannot shrink.*Nothing was changed/);
  await refuses({ memory: '2Mi' }, /70%.*Nothing was changed/);
});
