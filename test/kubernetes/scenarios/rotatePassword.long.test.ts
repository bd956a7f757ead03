import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inventory } from '../../../src/inventory/inventory.ts';
import type { RedisReading } from '../../../src/inventory/nodeReader.ts';
import { openContext } from '../../../src/kubernetes/access.ts';
import { loadKubeconfigs } from '../../../src/kubernetes/kubeconfigs.ts';
import { prepareRotation } from '../../../src/operations/rotatePassword.ts';
import { runPlan } from '../../../src/operations/run/runPlan.ts';
import * as entry from '../../../src/redis/entry.ts';
import { connectNode } from '../../../src/redis/connect.ts';
import type { Credentials } from '../../../src/redis/nodeConnection.ts';
import { readNodeView } from '../../../src/redis/nodeView.ts';
import { passwordTrying } from '../../../src/ui/passwordTrying.ts';
import { waiting } from '../../../src/ui/run/waiting.ts';
import { makeAuthority } from '../../support/authority.ts';
import { deployManifests } from '../../support/scenarios/deployment.ts';
import { untilWhole } from '../../support/scenarios/whole.ts';
import { startKubernetes } from '../../support/startKubernetes.ts';

const times = { connectTimeoutMs: 10_000, commandTimeoutMs: 10_000 };
const redis: RedisReading = {
  connectNode: (endpoint, credentials) => connectNode(endpoint, credentials, times),
  connectPatiently: (endpoint, credentials) => connectNode(endpoint, credentials, times),
  readNodeView,
};

test('a cluster that speaks TLS only is read, and its password is replaced while it is looked at', async (t) => {
  const kubernetes = await startKubernetes();
  const authority = await makeAuthority('rotation');
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'redis-cluster-tls' } };
  const stringData = await authority.issue(['*.redis-cluster', 'localhost']);
  const deployment = await deployManifests(kubernetes, {
    from: 'manifests/overlays/tls',
    tls: { ca: authority.certificate },
    before: JSON.stringify({ ...secret, stringData }),
  });
  const { namespace, password: old = '' } = deployment;
  const context = loadKubeconfigs([kubernetes.kubeconfig]).contexts.find(
    (one) => one.name === kubernetes.context,
  );
  assert.ok(context);
  const access = openContext(context);
  const inventory = new Inventory({
    redis: () => Promise.resolve(redis),
    addressSource: (ref) => ({ ref, name: 'test', sandbox: false, credentials: () => Promise.resolve({}) }),
  });
  inventory.setContexts([
    { name: context.name, namespaces: [namespace], fingerprint: '', open: () => Promise.resolve(access) },
  ]);
  const ref = { context: context.name, namespace, name: 'redis-cluster' };
  const release = inventory.need({ context: context.name });
  try {
    await untilWhole(deployment, 6);
    const snapshot = await inventory.fresh(ref);
    assert.deepEqual(
      snapshot.nodes.map((node) => node.health),
      Array.from({ length: 6 }, () => 'ok'),
    );
    const tls = { ca: authority.certificate };
    const credentials = (): Promise<Credentials> => Promise.resolve({ tls });
    const plan = await prepareRotation(access, snapshot);
    assert.equal(plan.steps.length, 3);
    const unused = (): never => assert.fail('no server is read');
    let isForgotten = false;
    const rotated = await runPlan(plan, {
      ...{ ...waiting, redis: entry, report: () => undefined, signal: AbortSignal.timeout(600_000) },
      ...{ dialer: { credentials: {}, dial: unused }, readSnapshot: () => inventory.look(ref) },
      kubernetes: { access, namespace, readNode: unused, withNode: unused, pauseAgent: unused },
      passwords: {
        tried: passwordTrying(access, redis, credentials),
        forgetStored: () => {
          isForgotten = true;
          return Promise.resolve();
        },
      },
    });
    assert.deepEqual([rotated.cancelled, rotated.steps, isForgotten], [false, 3, true]);
    t.diagnostic(`rotated in ${rotated.seconds.toFixed(1)} s`);
    const password = await access.readSecret(namespace, { secret: 'redis-cluster-auth', key: 'password' });
    assert.ok(password !== undefined && password !== old);
    const dialer = await inventory.dialer(ref);
    const [node] = snapshot.nodes;
    const connection = await dialer.dial(node?.id ?? '');
    assert.equal(await connection.call('PING'), 'PONG');
    connection.close();
    const pods = await deployment.kubectl(['get', 'pods', '-o', 'jsonpath={..restartCount}']);
    assert.match(pods, /^[0 ]+$/);
  } finally {
    release();
    inventory.dispose();
    access.close();
    await authority.dispose();
    await deployment.remove();
    await kubernetes.stop();
  }
});
