import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Inventory } from '../../src/inventory/inventory.ts';
import type { GroupStore, SavedGroups } from '../../src/inventory/lastGroups.ts';
import type { RedisReading } from '../../src/inventory/nodeReader.ts';
import type { KubernetesObject } from '../../src/kubernetes/kubernetesAccess.ts';
import { UserError } from '../../src/model/errors.ts';
import type { ClusterSnapshot, PodFacts, RedisNode } from '../../src/model/snapshot.ts';
import { prepareDelete } from '../../src/operations/delete.ts';
import { refuseOwned, refuseSeveral } from '../../src/operations/statefulSets/owner.ts';
import { connectNode, readNodeView } from '../../src/redis/entry.ts';
import { adapterImage, startAdapterFixture, until, type AdapterFixture } from '../support/adapterFixture.ts';

const times = { connectTimeoutMs: 2_500, commandTimeoutMs: 2_500 };
const shards = ['x-0', 'y-1', 'z-2'];
let fixture: AdapterFixture;
const inventories: Inventory[] = [];
const definitions: string[] = [];

before(async () => {
  fixture = await startAdapterFixture();
});

after(async () => {
  for (const inventory of inventories) inventory.dispose();
  for (const name of definitions) {
    await fixture.access.delete(
      'apiextensions.k8s.io/v1',
      'CustomResourceDefinition',
      fixture.namespace,
      name,
    );
  }
  await fixture.stop();
});

/** What a window sees that was opened just now, with what earlier ones have kept. */
function openWindow(groups?: GroupStore): Inventory {
  const { context, namespace, access } = fixture;
  const connect: RedisReading['connectNode'] = (endpoint, credentials) =>
    connectNode(endpoint, credentials, times);
  const inventory = new Inventory({
    redis: () => Promise.resolve({ connectNode: connect, connectPatiently: connect, readNodeView }),
    addressSource: (ref) => ({ ref, name: 'test', sandbox: false, credentials: () => Promise.resolve({}) }),
    ...(groups === undefined ? {} : { groups }),
  });
  // The fixture goes on with its access when the window closes.
  const own = { ...access, close: () => undefined };
  inventory.setContexts([
    { name: context, namespaces: [namespace], fingerprint: '', open: () => Promise.resolve(own) },
  ]);
  inventory.need({ context });
  inventories.push(inventory);
  return inventory;
}

/** The clusters of these pods as soon as all their servers have been read, and it is what is wanted. */
function clustersOf(
  inventory: Inventory,
  pods: readonly string[],
  isWanted: (clusters: readonly ClusterSnapshot[]) => boolean = () => true,
): Promise<readonly ClusterSnapshot[]> {
  return until(async () => {
    await inventory.refresh();
    const clusters = (inventory.contexts()[0]?.scopes[0]?.clusters ?? []).filter(({ workloads }) =>
      workloads.some(({ name }) => pods.some((pod) => pod === name || pod.startsWith(`${name}-`))),
    );
    const read = clusters.flatMap(({ nodes, otherParts, loosePods }) => [
      ...[...nodes, ...otherParts.flatMap((part) => part.nodes)].flatMap(({ view, pod }) =>
        view === undefined ? [] : [pod?.name],
      ),
      ...loosePods.map(({ name }) => name),
    ]);
    return pods.every((pod) => read.includes(pod)) && isWanted(clusters) ? clusters : undefined;
  });
}

const isWhole = ([cluster]: readonly ClusterSnapshot[]): boolean =>
  cluster?.nodes.every(({ view }) => view?.clusterState === 'ok') === true;

async function cli(pod: string, words: readonly string[]): Promise<string> {
  let output = '';
  const { access, namespace } = fixture;
  const session = await access.exec(namespace, pod, 'redis', ['redis-cli', ...words], (text) => {
    output += text;
  });
  assert.equal((await session.done).exitCode, 0, output);
  return output;
}

const server = (port = 6379): object => ({
  ...{ name: 'redis', image: adapterImage, ports: [{ containerPort: port }] },
  command: [
    ...['redis-server', '--port', String(port), '--cluster-enabled', 'yes'],
    ...['--protected-mode', 'no', '--save', '', '--dir', '/tmp'],
  ],
  readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
});

/** Makes a kind known to the API, and an object of it. */
async function custom(kind: string, names: readonly string[], owner?: object): Promise<readonly object[]> {
  const { access, namespace } = fixture;
  const plural = `${kind.toLowerCase()}s`;
  const group = `${plural}.${namespace}.example.com`;
  const name = `${plural}.${group}`;
  definitions.push(name);
  await access.apply({
    ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name } },
    spec: {
      ...{ group, scope: 'Namespaced', names: { plural, singular: kind.toLowerCase(), kind } },
      versions: [
        {
          ...{ name: 'v1', served: true, storage: true },
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  });
  const apiVersion = `${group}/v1`;
  const ownerReferences = owner === undefined ? {} : { ownerReferences: [owner] };
  return Promise.all(
    names.map((each) =>
      until(async () => {
        try {
          const metadata = { name: each, namespace, ...ownerReferences };
          await access.apply({ apiVersion, kind, metadata });
          const found = await access.get(apiVersion, kind, namespace, each);
          const { uid } = (found?.metadata ?? {}) as { readonly uid?: string };
          return { apiVersion, kind, name: each, uid, controller: true };
        } catch (error) {
          // The API takes a moment to serve a new kind.
          if (error instanceof UserError && error.reason === 'not-found') return undefined;
          throw error;
        }
      }),
    ),
  );
}

describe('whose a cluster is', { timeout: 400_000 }, () => {
  const kept = new Map<string, string>();
  const store: GroupStore = {
    read: (context, namespace) => {
      const text = kept.get(`${context}/${namespace}`);
      return text === undefined ? undefined : (JSON.parse(text) as SavedGroups);
    },
    write: (context, namespace, groups) => kept.set(`${context}/${namespace}`, JSON.stringify(groups)),
  };
  const podNames = shards.map((shard) => `${shard}-0`);

  test('a StatefulSet for each shard is one cluster by what owns their owners, and only that may change it', async () => {
    const { access, namespace } = fixture;
    const [shop] = await custom('Shop', ['cart']);
    const owners = await custom('ShopNode', shards, shop);
    for (const [index, name] of shards.entries()) {
      const labels = { app: name };
      await access.create({
        ...{ apiVersion: 'apps/v1', kind: 'StatefulSet' },
        metadata: { name, namespace, ownerReferences: [owners[index]] } as KubernetesObject['metadata'],
        spec: {
          ...{ serviceName: name, replicas: 1, selector: { matchLabels: labels } },
          template: {
            metadata: { labels },
            spec: { terminationGracePeriodSeconds: 0, containers: [server()] },
          },
        },
      });
    }
    const pods = await Promise.all(podNames.map((name) => fixture.readyPod(name)));
    const before = await clustersOf(openWindow(), podNames);
    assert.deepEqual(
      before.map(({ name, workloads }) => [name, workloads.length]),
      [['cart', 3]],
      'servers that know nobody yet',
    );
    const addresses = pods.map(({ ip }) => `${ip ?? ''}:6379`);
    await cli('x-0-0', ['--cluster', 'create', ...addresses, '--cluster-yes']);
    const [cluster, ...others] = await clustersOf(openWindow(store), podNames, isWhole);
    assert.ok(cluster);
    assert.deepEqual([cluster.name, cluster.nodes.length, cluster.mergedFrom, others], ['cart', 3, [], []]);
    const owned = /Shop "cart"/;
    await assert.rejects(refuseSeveral(access, cluster), owned);
    await assert.rejects(refuseOwned(access, namespace, 'x-0'), owned);
    const ref = { context: fixture.context, namespace, name: 'x-0' };
    await assert.rejects(prepareDelete(access, ref, [], { volumes: false }), owned);
  });

  test('what was one cluster when the window closed is one when it opens, though nothing but that says so', async () => {
    const { access, namespace } = fixture;
    const release = { metadata: { ownerReferences: null } };
    for (const name of shards) await access.patch('apps/v1', 'StatefulSet', namespace, name, release);
    for (const inventory of inventories.splice(0)) inventory.dispose();
    const old = await Promise.all(podNames.map((name) => fixture.readyPod(name)));
    for (const name of podNames) await access.delete('v1', 'Pod', namespace, name);
    await until(async () => {
      const all = (await access.discover(namespace)).flatMap(({ pods }) => pods);
      const isNew = ({ uid, ready }: PodFacts): boolean => ready && old.every((one) => one.uid !== uid);
      return all.filter((pod) => podNames.includes(pod.name) && isNew(pod)).length === 3 ? all : undefined;
    });
    const [apart, ...others] = await clustersOf(openWindow(store), podNames);
    assert.deepEqual([apart?.name, apart?.workloads.length, others], ['cart', 3, []]);
    const unknown = await clustersOf(openWindow(), podNames);
    assert.deepEqual(unknown.map(({ name }) => name).sort(), shards);
  });

  test('tools that would undo it are named by the marks that they leave', async () => {
    const { access, namespace } = fixture;
    const ref = { context: fixture.context, namespace, name: 'x-0' };
    for (const [marks, owner] of [
      [{ labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' } }, /the Flux object "apps"/],
      [
        { annotations: { 'argocd.argoproj.io/tracking-id': 'store:apps/StatefulSet:x' } },
        /Argo CD .*"store"/,
      ],
      [{ annotations: { 'meta.helm.sh/release-name': 'cache' } }, /Helm release "cache"/],
    ] as const) {
      await access.patch('apps/v1', 'StatefulSet', namespace, 'x-0', { metadata: marks });
      await assert.rejects(refuseOwned(access, namespace, 'x-0'), owner);
      await assert.rejects(prepareDelete(access, ref, [], { volumes: false }), owner);
      const [section, keys] = Object.entries(marks).map(
        ([name, words]) => [name, Object.keys(words)] as const,
      )[0] ?? ['', []];
      const none = Object.fromEntries(keys.map((key) => [key, null]));
      await access.patch('apps/v1', 'StatefulSet', namespace, 'x-0', { metadata: { [section]: none } });
    }
    assert.ok(await access.get('apps/v1', 'StatefulSet', namespace, 'x-0'));
  });
});

test(
  'servers in the network of one machine are told apart by their ports',
  { timeout: 200_000 },
  async () => {
    const { access, namespace } = fixture;
    const { worker } = await fixture.readyPod('server');
    const first = 20_000 + Math.floor(Math.random() * 2_000);
    const ports = [first, first + 1, first + 2];
    for (const [index, port] of ports.entries()) {
      await access.create({
        ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: `host-${index}`, namespace } },
        spec: {
          ...{
            hostNetwork: true,
            nodeName: worker,
            restartPolicy: 'Never',
            terminationGracePeriodSeconds: 0,
          },
          containers: [server(port)],
        },
      });
    }
    const names = ports.map((_, index) => `host-${index}`);
    const pods = await Promise.all(names.map((name) => fixture.readyPod(name)));
    assert.equal(new Set(pods.map(({ ip }) => ip)).size, 1);
    const addresses = pods.map(({ ip, port }) => `${ip ?? ''}:${port}`);
    await cli('host-0', ['-p', String(first), '--cluster', 'create', ...addresses, '--cluster-yes']);
    const inventory = openWindow();
    const podOfPort = ({ nodes }: ClusterSnapshot): unknown =>
      nodes.map(({ port, pod }) => [port, pod?.name]);
    const expected = ports.map((port, index) => [port, `host-${index}`]);
    const [whole, ...others] = await clustersOf(inventory, names, isWhole);
    assert.ok(whole);
    assert.deepEqual([podOfPort(whole), others], [expected, []]);
    // A pod of nobody's that has ended is over: no other pod at its address stands for the node, in a new window either.
    await cli('host-1', ['-p', String(first + 1), 'SHUTDOWN', 'NOSAVE']).catch(() => undefined);
    await until(async () => {
      const found = (await access.discover(namespace)).flatMap((one) => one.pods);
      return found.some(({ name, ready }) => name === 'host-1' && ready) ? undefined : found;
    });
    const [left] = await clustersOf(openWindow(), ['host-0', 'host-2']);
    assert.ok(left);
    const byPort = (a: RedisNode, b: RedisNode): number => a.port - b.port;
    assert.deepEqual(
      [...left.nodes].sort(byPort).map(({ port, pod, view }) => [port, pod?.name, view !== undefined]),
      [
        [first, 'host-0', true],
        [first + 1, undefined, false],
        [first + 2, 'host-2', true],
      ],
    );
  },
);
