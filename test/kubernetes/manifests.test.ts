import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { selector } from '../support/scenarios/deployment.ts';
import { countKeys } from '../support/scenarios/keys.ts';
import { scenarioCluster } from '../support/scenarios/scenarioCluster.ts';
import { servers } from '../support/scenarios/servers.ts';
import { shapeOf, untilWhole } from '../support/scenarios/whole.ts';

const manifests = fileURLToPath(new URL('../../manifests', import.meta.url));
const cluster = scenarioCluster({ password: 'correct horse battery staple' }, { keys: 300 });

test('the walkthrough of the README works as written', async () => {
  const { redisCli, kubectl } = cluster().deployment;
  const nodes = (await redisCli(0, ['cluster', 'nodes'])).trim().split('\n');
  assert.equal(nodes.filter((line) => / (myself,)?master /.test(line)).length, 3);
  assert.equal(nodes.filter((line) => / (myself,)?slave /.test(line)).length, 3);
  const check = await redisCli(0, ['--cluster', 'check', 'localhost', '6379']);
  assert.match(check, /\[OK\] All 16384 slots covered\./);
  await assert.rejects(
    kubectl(['exec', 'redis-cluster-0', '--', 'env', '-u', 'REDISCLI_AUTH', 'redis-cli', '-e', 'dbsize']),
    'a client without the password is refused',
  );
});

test('six more pods join as replicas, two for each master', async (t) => {
  const { deployment } = cluster();
  await deployment.kubectl(['scale', 'statefulset', 'redis-cluster', '--replicas=12']);
  t.diagnostic(`joined in ${await untilWhole(deployment, 12)} s`);
  const all = await servers(deployment);
  assert.deepEqual(shapeOf(all), { masters: 3, replicas: 9 });
  const masters = all.filter(({ view }) => view.self.slots.length > 0);
  const attached = masters.map(({ view }) => view.replication.replicas.length);
  assert.deepEqual(attached, [3, 3, 3]);
});

test('deleting leaves the volumes, and applying again brings the cluster back with its keys', async (t) => {
  const { deployment, dataset } = cluster();
  const { kubectl } = deployment;
  await kubectl(['delete', '-k', manifests, '--timeout=120s']);
  await kubectl(['wait', '--for=delete', 'pods', '-l', selector, '--timeout=120s']);
  assert.equal((await kubectl(['get', 'pvc', '-o', 'name'])).trim().split('\n').length, 12);
  await kubectl(['apply', '-k', manifests]);
  await kubectl(['scale', 'statefulset', 'redis-cluster', '--replicas=12']);
  t.diagnostic(`back in ${await untilWhole(deployment, 12)} s`);
  assert.equal(await countKeys(deployment, dataset), dataset.keys);
});
