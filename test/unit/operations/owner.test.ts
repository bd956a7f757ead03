import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubernetesAccess } from '../../../src/kubernetes/kubernetesAccess.ts';
import { UserError } from '../../../src/model/errors.ts';
import { pod, snapshotOf } from '../sample.ts';
import {
  operatorOf,
  ownerOf,
  refuseOwned,
  refuseSeveral,
  topOwnerOf,
} from '../../../src/operations/statefulSets/owner.ts';

test('whoever would change an object back is named by the marks they leave', () => {
  const cases: readonly [Parameters<typeof ownerOf>[0], string | undefined, string?][] = [
    [{}, undefined],
    [{ ownerReferences: [{ kind: 'Pod', name: 'x' }] }, undefined],
    [
      { ownerReferences: [{ kind: 'RedisCluster', name: 'shop', controller: true }] },
      'RedisCluster "shop"',
      'Its operator',
    ],
    [{ labels: { 'helm.toolkit.fluxcd.io/name': 'shop' } }, 'the Flux object "shop"', 'Flux'],
    [{ labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' } }, 'the Flux object "apps"', 'Flux'],
    [{ labels: { 'argocd.argoproj.io/instance': 'shop' } }, 'the Argo CD application "shop"', 'Argo CD'],
    [
      { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:apps/StatefulSet:ns/cart' } },
      'the Argo CD application "shop"',
      'Argo CD',
    ],
    [{ annotations: { 'meta.helm.sh/release-name': 'cart' } }, 'the Helm release "cart"', 'Helm'],
    [{ labels: { 'app.kubernetes.io/managed-by': 'Helm' } }, 'a Helm release', 'Helm'],
    [{ labels: { 'app.kubernetes.io/managed-by': 'somebody' } }, undefined],
  ];
  for (const [metadata, name, tool] of cases) {
    const owner = ownerOf(metadata);
    assert.deepEqual([owner?.name, owner?.tool], [name, tool]);
  }
});

test('a StatefulSet that a tool looks after is not scaled behind its back', async () => {
  const access = (may: boolean, labels: Readonly<Record<string, string>>): KubernetesAccess =>
    ({
      may: () => Promise.resolve(may),
      get: () => Promise.resolve({ metadata: { name: 'cart', labels } }),
    }) as unknown as KubernetesAccess;
  const helm = { 'app.kubernetes.io/managed-by': 'Helm' };
  await assert.rejects(
    refuseOwned(access(true, helm), 'shop', 'cart'),
    /managed by a Helm release.*Scale it there/,
  );
  await refuseOwned(access(true, {}), 'shop', 'cart');
  await refuseOwned(access(false, helm), 'shop', 'cart');
});

/** A pod of StatefulSet cart-0 of ValkeyNode cart-0 of ValkeyCluster cart. */
function chain(forbidden: readonly string[] = []): KubernetesAccess {
  const by = (kind: string, name: string) => ({
    ownerReferences: [{ apiVersion: 'example.io/v1', kind, name, controller: true }],
  });
  const objects: Readonly<Record<string, object>> = {
    Pod: by('StatefulSet', 'cart-0'),
    StatefulSet: by('ValkeyNode', 'cart-0'),
    ValkeyNode: by('ValkeyCluster', 'cart'),
    ValkeyCluster: {},
  };
  return {
    get: (_version: string, kind: string) =>
      forbidden.includes(kind)
        ? Promise.reject(new UserError('forbidden', 'no'))
        : Promise.resolve({ metadata: objects[kind] }),
    may: () => Promise.resolve(true),
  } as unknown as KubernetesAccess;
}

test('the top of the chain of owners is named, or the last one that may be read', async () => {
  const set = {
    ownerReferences: [{ apiVersion: 'x/v1', kind: 'ValkeyNode', name: 'cart-0', controller: true }],
  };
  assert.equal((await topOwnerOf(chain(), 'ns', set))?.name, 'ValkeyCluster "cart"');
  assert.equal((await topOwnerOf(chain(['ValkeyNode']), 'ns', set))?.name, 'ValkeyNode "cart-0"');
  assert.equal(await operatorOf(chain(), 'ns', 'cart-0-0'), 'ValkeyCluster "cart"');
  assert.equal(await operatorOf(chain(['StatefulSet']), 'ns', 'cart-0-0'), undefined);
  await assert.rejects(
    refuseOwned(chain(), 'ns', 'cart-0'),
    /StatefulSet cart-0 is managed by ValkeyCluster "cart"\. Its operator would revert the change\. Scale it there/,
  );
});

test('a cluster of several workloads is refused in the name of who made them', async () => {
  const workloads = ['cart-0', 'cart-1'].map((name) => {
    return { kind: 'StatefulSet' as const, name, replicas: 1, readyReplicas: 1, bundled: false };
  });
  const snapshot = { ...snapshotOf([]), workloads };
  await assert.rejects(
    refuseSeveral(chain(), snapshot),
    /several workloads \(cart-0, cart-1\), is managed by ValkeyCluster "cart"\. Its operator .*Nothing was changed/,
  );
  await refuseSeveral(chain(), { ...snapshot, workloads: workloads.slice(1) });
});

test('what makes pods for an operator is asked for by its pods, whatever it is', async () => {
  const workload = {
    kind: 'Other' as const,
    name: 'cart-7d9f',
    replicas: 1,
    readyReplicas: 1,
    bundled: false,
  };
  const one = { ...snapshotOf([]), workloads: [workload] };
  const loosePods = [pod('cart-7d9f-x', '10.0.0.1', { workload: 'cart-7d9f' })];
  await assert.rejects(
    refuseSeveral(chain(), { ...one, loosePods }),
    /cart .* is managed by ValkeyCluster "cart"\. Its operator .*Make it there\. Nothing was changed/,
  );
  await refuseSeveral(chain(), one);
  const by = (kind: string): object => ({
    ownerReferences: [{ apiVersion: 'apps/v1', kind, name: 'cart', controller: true }],
  });
  const objects: Readonly<Record<string, object>> = { Pod: by('ReplicaSet'), ReplicaSet: by('Deployment') };
  const deployed = (top: object): KubernetesAccess =>
    ({
      get: (_version: string, kind: string) => Promise.resolve({ metadata: objects[kind] ?? top }),
    }) as unknown as KubernetesAccess;
  await refuseSeveral(deployed({}), { ...one, loosePods });
  await assert.rejects(
    refuseSeveral(deployed({ annotations: { 'meta.helm.sh/release-name': 'cache' } }), { ...one, loosePods }),
    /managed by the Helm release "cache"/,
  );
});
