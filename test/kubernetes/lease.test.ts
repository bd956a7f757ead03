import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openContext } from '../../src/kubernetes/access.ts';
import { loadKubeconfigs } from '../../src/kubernetes/kubeconfigs.ts';
import type { KubernetesAccess } from '../../src/kubernetes/kubernetesAccess.ts';
import { UserError } from '../../src/model/errors.ts';
import { leaseWarning, withLease, type Claim, type LeasePorts } from '../../src/operations/run/lease.ts';
import { startKubernetes, type TestKubernetes } from '../support/startKubernetes.ts';

let kubernetes: TestKubernetes;
let namespace: string;
let access: KubernetesAccess;

before(async () => {
  kubernetes = await startKubernetes();
  namespace = await kubernetes.createNamespace('lease');
  const { contexts } = loadKubeconfigs([kubernetes.kubeconfig]);
  const context = contexts.find(({ name }) => name === kubernetes.context);
  assert.ok(context);
  access = openContext(context);
});

after(async () => {
  access.close();
  await kubernetes.deleteNamespace(namespace);
  await kubernetes.stop();
});

function claimOf(holder: string): Claim {
  const ref = { context: kubernetes.context, namespace, name: 'cart' };
  return { ref, holder, title: `Work of ${holder}`, operation: 'reshard' };
}

/** Time goes a hundred times as fast while somebody waits. */
function ports(): LeasePorts {
  return {
    ...{ access, signal: new AbortController().signal, clock: () => Date.now() },
    delay: (milliseconds, signal) => sleep(milliseconds / 100, undefined, { signal }).catch(() => undefined),
  };
}

const kind = ['coordination.k8s.io/v1', 'Lease'] as const;
const readLease = () => access.get(...kind, namespace, 'redis-cluster-cart-operation');

test('a claim is a Lease that is renewed, keeps others out, and is gone at the end', async () => {
  assert.deepEqual(await leaseWarning(access, namespace), []);
  await withLease(ports(), claimOf('ann'), async () => {
    const first = await readLease();
    const { holderIdentity, renewTime } = first?.['spec'] as Readonly<Record<string, string>>;
    assert.equal(holderIdentity, 'ann');
    assert.ok(Math.abs(Date.parse(renewTime ?? '') - Date.now()) < 60_000);
    assert.equal(first?.metadata.annotations?.['redis-cluster/operation'], 'Work of ann');
    await assert.rejects(
      withLease(ports(), claimOf('bob'), () => Promise.resolve()),
      (error) => error instanceof UserError && error.reason === 'busy' && error.message.includes('by ann'),
    );
    for (let attempt = 0; ; attempt++) {
      await sleep(100);
      const later = await readLease();
      if (JSON.stringify(later?.['spec']) !== JSON.stringify(first['spec'])) break;
      assert.ok(attempt < 600, 'it was not renewed');
    }
  });
  assert.equal(await readLease(), undefined);
});

test('of two who claim at the same moment one gets it; what a dead holder left is taken over', async () => {
  let inside = 0;
  const claims = ['ann', 'bob', 'eve'].map((holder) =>
    withLease(ports(), claimOf(holder), async () => {
      inside++;
      await sleep(2_000);
      return holder;
    }),
  );
  const results = await Promise.allSettled(claims);
  assert.equal(inside, 1);
  assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected']);
  const spec = {
    ...{ holderIdentity: 'dead', leaseDurationSeconds: 30 },
    renewTime: '2020-01-01T00:00:00.000000Z',
  };
  const metadata = { name: 'redis-cluster-cart-operation', namespace };
  await access.create({ apiVersion: kind[0], kind: kind[1], metadata, spec });
  assert.equal(await withLease(ports(), claimOf('bob'), () => Promise.resolve('done')), 'done');
  assert.equal(await readLease(), undefined);
});
