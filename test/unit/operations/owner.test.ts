import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubernetesAccess } from '../../../src/kubernetes/kubernetesAccess.ts';
import { ownerOf, refuseOwned } from '../../../src/operations/owner.ts';

test('whoever would change an object back is named by the marks they leave', () => {
  const cases: readonly [Parameters<typeof ownerOf>[0], string | undefined][] = [
    [{}, undefined],
    [{ ownerReferences: [{ kind: 'Pod', name: 'x' }] }, undefined],
    [
      { ownerReferences: [{ kind: 'RedisCluster', name: 'shop', controller: true }] },
      'RedisCluster "shop", whose operator',
    ],
    [{ labels: { 'helm.toolkit.fluxcd.io/name': 'shop' } }, 'Flux "shop", which'],
    [{ labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' } }, 'Flux "apps", which'],
    [{ labels: { 'argocd.argoproj.io/instance': 'shop' } }, 'the Argo CD application "shop", which'],
    [
      { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:apps/StatefulSet:ns/cart' } },
      'the Argo CD application "shop", which',
    ],
    [{ annotations: { 'meta.helm.sh/release-name': 'cart' } }, 'the Helm release "cart", which'],
    [{ labels: { 'app.kubernetes.io/managed-by': 'Helm' } }, 'a Helm release, which'],
    [{ labels: { 'app.kubernetes.io/managed-by': 'somebody' } }, undefined],
  ];
  for (const [metadata, expected] of cases) assert.equal(ownerOf(metadata), expected);
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
    /made by a Helm release.*Scale it there/,
  );
  await refuseOwned(access(true, {}), 'shop', 'cart');
  await refuseOwned(access(false, helm), 'shop', 'cart');
});
