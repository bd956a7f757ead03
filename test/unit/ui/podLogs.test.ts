import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubernetesObject } from '../../../src/kubernetes/kubernetesAccess.ts';
import { UserError } from '../../../src/model/errors.ts';
import { podsOf } from '../../../src/model/endedPods.ts';
import { logsOfPod, podNamed } from '../../../src/ui/podLogs.ts';
import { ids, pod, snapshotOf, source } from '../sample.ts';

const own = pod('cart-0', '10.0.0.1', { container: 'redis' });
const terminated = { terminated: { exitCode: 137 } };
const object: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'cart-0' },
  spec: { containers: [{ name: 'agent' }, { name: 'redis' }], initContainers: [{ name: 'prepare' }] },
  status: {
    containerStatuses: [
      { name: 'redis', lastState: terminated },
      { name: 'agent', lastState: {} },
    ],
  },
};

test('the logs of a pod: the server first, and the run before where there was one', async () => {
  const get = (): Promise<KubernetesObject> => Promise.resolve(object);
  assert.deepEqual(
    (await logsOfPod({ get }, own)).map(({ container, previous }) => [container, previous]),
    [
      ['redis', false],
      ['redis', true],
      ['agent', false],
      ['prepare', false],
    ],
  );
});

test('who may not read the pod is offered the log of its server', async () => {
  const get = (): Promise<never> => Promise.reject(new UserError('forbidden', 'no'));
  assert.deepEqual(await logsOfPod({ get }, own), [{ container: 'redis', previous: false }]);
  const broken = (): Promise<never> => Promise.reject(new UserError('unreachable', 'no'));
  await assert.rejects(logsOfPod({ get: broken }, own), /no/);
});

test('pods in which no member was found are pods of the cluster too', () => {
  const pending = pod('cart-9', '10.0.0.9', { phase: 'Pending' });
  const snapshot = { ...snapshotOf(ids.map((id) => source(id))), loosePods: [pending] };
  assert.equal(podsOf(snapshot).length, ids.length + 1);
  assert.equal(podNamed(snapshot, 'cart-9'), pending);
  assert.throws(() => podNamed(snapshot, 'cart-7'), /has no pod "cart-7"\. Its pods: cart-0, .*cart-9/);
});
