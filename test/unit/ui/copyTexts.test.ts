import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { clusterTexts, nodeTexts, type CopyText } from '../../../src/ui/copyTexts.ts';
import { ids, snapshotOf, source } from '../sample.ts';

const snapshot = snapshotOf(ids.map((id) => source(id)));

function textsOf(cluster: ClusterSnapshot): Readonly<Partial<Record<CopyText['what'], string>>> {
  const [node] = cluster.nodes;
  assert.ok(node);
  return Object.fromEntries(nodeTexts(cluster, node).map(({ what, text }) => [what, text]));
}

test('a node in a pod is copied as id, address, pod, slots and command lines', () => {
  assert.deepEqual(textsOf(snapshot), {
    id: 'm0',
    address: '10.0.0.0:6379',
    redisCli: 'redis-cli -c -h 10.0.0.0 -p 6379',
    pod: 'cart-0',
    kubectl: 'kubectl --context test -n shop exec -it cart-0 -c redis -- redis-cli -p 6379',
    slots: '0-5460',
  });
});

test('a context that a shell would read otherwise is quoted', () => {
  const ref = { context: "team's; rm -rf /", namespace: 'shop', name: 'cart' };
  assert.match(
    textsOf({ ...snapshot, ref }).kubectl ?? '',
    /^kubectl --context 'team'\\''s; rm -rf \/' -n shop /,
  );
});

test('outside Kubernetes redis-cli is sent to where the server was reached', () => {
  const ref = { addresses: ['127.0.0.1:7000'] };
  const nodes = snapshot.nodes.map((node) => ({ ...node, reachedAt: '127.0.0.1:7000' }));
  const texts = textsOf({ ...snapshot, ref, nodes });
  assert.equal(texts.redisCli, 'redis-cli -c -h 127.0.0.1 -p 7000');
  assert.equal(texts.kubectl, undefined);
});

test('a cluster is copied as its name, the reference that commands take, and its addresses', () => {
  const [name, reference, addresses] = clusterTexts(snapshot).map(({ text }) => text);
  assert.equal(name, 'cart');
  assert.deepEqual(JSON.parse(reference ?? ''), { cluster: snapshot.ref });
  assert.match(addresses ?? '', /^10\.0\.0\.0:6379 10\.0\.0\.1:6379 /);
});
