import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inventory } from '../../../src/inventory/inventory.ts';
import type { RedisReading } from '../../../src/inventory/nodeReader.ts';
import { openContext } from '../../../src/kubernetes/access.ts';
import { loadKubeconfigs } from '../../../src/kubernetes/kubeconfigs.ts';
import { UserError } from '../../../src/model/errors.ts';
import {
  prepareRotation,
  runRotation,
  type Answer,
  type PodServer,
} from '../../../src/operations/rotatePassword.ts';
import { connectNode } from '../../../src/redis/connect.ts';
import { readNodeView } from '../../../src/redis/nodeView.ts';
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
    const tryPassword = async ({ pod }: PodServer, password: string): Promise<Answer> => {
      const forward = await access.forward(namespace, pod.name, pod.port);
      try {
        (await connectNode({ path: forward.path }, { password, tls }, times)).close();
        return 'accepted';
      } catch (error) {
        return error instanceof UserError && error.reason === 'sign-in-needed' ? 'refused' : 'silent';
      } finally {
        forward.close();
      }
    };
    const plan = await prepareRotation(access, snapshot);
    assert.equal(plan.goesOn, false);
    const rotated = await runRotation(plan, {
      ...{ access, tryPassword, report: () => undefined, now: () => performance.now() },
      signal: AbortSignal.timeout(600_000),
      delay: (milliseconds) => sleep(milliseconds),
      randomPassword: () => randomBytes(24).toString('base64url'),
    });
    assert.equal(rotated.outcome, 'done', rotated.message);
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
