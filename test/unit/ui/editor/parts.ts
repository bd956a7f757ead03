import { join } from 'node:path';
import type { KubernetesAccess, KubernetesObject } from '../../../../src/kubernetes/kubernetesAccess.ts';
import { isKubernetesRef, type ClusterRef } from '../../../../src/model/clusterRef.ts';
import type { ClusterSnapshot } from '../../../../src/model/snapshot.ts';
import { readsOf, versionFor } from '../../../../src/redis/rdb/encodings.ts';
import { scanRdb } from '../../../../src/redis/rdb/scanRdb.ts';
import type { Parts } from '../../../../src/ui/parts.ts';

/** Thrown where a command would begin to change the cluster. */
const begun = new DOMException('The change began.', 'AbortError');

export interface Begun {
  count: number;
}

/** Parts of a window that shows one cluster; a change that would begin is counted and goes no further. */
export function partsFor(snapshot: () => ClusterSnapshot, ref: ClusterRef, counted: Begun): Parts {
  const access = accessTo();
  const address = { source: { ref, name: 'cart' } };
  const cluster = { ...snapshot(), ref, name: 'cart' };
  const connection = {
    pipeline: (commands: readonly unknown[][]) => Promise.resolve(commands.map(() => 0)),
    call: (...command: readonly unknown[]) => Promise.resolve(replyTo(command)),
    close: () => undefined,
  };
  const dialer = { credentials: {}, dial: (id: string) => Promise.resolve({ ...connection, id }) };
  const server = { id: 'e'.repeat(40), host: '10.0.9.9', port: 6379, busPort: 16379, slots: [] };
  const parts = {
    extensionUri: join(import.meta.dirname, '../../../..'),
    journals: { store: { list: () => Promise.resolve([]) }, clock: () => 0 },
    inventory: {
      fresh: () => Promise.resolve({ ...snapshot(), ref }),
      look: () => Promise.resolve({ ...snapshot(), ref }),
      snapshot: () => undefined,
      need: () => () => undefined,
      titleOf: () => 'cart',
      access: () => Promise.resolve(access),
      dialer: () => Promise.resolve(dialer),
      addressClusters: () => (isKubernetesRef(ref) ? [] : [address]),
      contexts: () =>
        isKubernetesRef(ref) ? [{ name: ref.context, scopes: [{ clusters: [cluster] }] }] : [],
    },
    adapters: {
      redis: () =>
        Promise.resolve({
          ...{ scanRdb, readsOf, versionFor },
          connectNode: () => Promise.resolve(connection),
          readNodeView: ({ id }: { readonly id?: string }) =>
            Promise.resolve(
              snapshot().nodes.find((node) => node.id === id)?.view ?? { self: server, others: [], keys: 0 },
            ),
        }),
      reading: () => Promise.resolve({}),
    },
    operations: {
      run: () => {
        counted.count++;
        return Promise.reject(begun);
      },
    },
    tree: {
      target: ({ id }: { readonly id: string }) => {
        if (id === 'cluster') return { kind: 'cluster', ref };
        return id.startsWith('node/') ? { kind: 'node', ref, nodeId: id.slice(5) } : undefined;
      },
    },
    documents: { show: () => Promise.resolve() },
    log: { info: () => undefined, warn: () => undefined, debug: () => undefined, error: () => undefined },
    sourcesReady: () => Promise.resolve(),
  };
  return parts as unknown as Parts;
}

/** Every command is known, the user that is asked for is not there, and each setting is 10. */
function replyTo([verb, , ...names]: readonly unknown[]): unknown {
  if (verb === 'COMMAND') return names.map((name) => [name]);
  return verb === 'ACL' ? null : ['hz', '10'];
}

/** A namespace with the StatefulSet of a cluster by this product's manifests, and with all rights. */
function accessTo(): KubernetesAccess {
  const object = (kind: string, name: string, fields: object = {}, more: object = {}): KubernetesObject => {
    const metadata = { name, resourceVersion: '1', generation: 1, ...more };
    return { apiVersion: 'v1', kind, metadata, ...fields };
  };
  const template = {
    metadata: { name: 'data' },
    spec: { resources: { requests: { storage: '1Gi' } } },
  };
  const containers = [{ name: 'redis', image: 'redis:7.0.15', resources: { limits: { memory: '256Mi' } } }];
  const objects = [
    object('StatefulSet', 'cart', {
      spec: { replicas: 6, template: { spec: { containers } }, volumeClaimTemplates: [template] },
      status: { observedGeneration: 1, updateRevision: 'r1', currentRevision: 'r1' },
    }),
    object('Secret', 'cart-auth', { data: { password: 'eA==' } }),
    object('Service', 'cart', {
      spec: { clusterIP: 'None', selector: { 'controller-revision-hash': 'r1' } },
    }),
    ...[0, 1, 2, 3, 4, 5].flatMap((ordinal) => [
      object(
        'Pod',
        `cart-${ordinal}`,
        { status: { conditions: [{ type: 'Ready', status: 'True' }] } },
        { uid: `uid-${ordinal}`, labels: { 'controller-revision-hash': 'r1' } },
      ),
      object('PersistentVolumeClaim', `data-cart-${ordinal}`, { spec: template.spec }),
    ]),
  ];
  const candidate = {
    workload: { name: 'cart' },
    passwordFrom: { secret: 'cart-auth', key: 'password' },
    passwordIsMounted: true,
  };
  const access = {
    context: 'test',
    may: () => Promise.resolve(true),
    discover: () => Promise.resolve([candidate]),
    get: (_version: string, kind: string, _namespace: string, name: string) =>
      Promise.resolve(objects.find((one) => one.kind === kind && one.metadata.name === name)),
    list: (_version: string, kind: string) => Promise.resolve(objects.filter((one) => one.kind === kind)),
  };
  return access as unknown as KubernetesAccess;
}
