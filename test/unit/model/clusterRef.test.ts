import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  clusterKey,
  describeRef,
  formatAddress,
  parseAddress,
  parseClusterRef,
} from '../../../src/model/clusterRef.ts';

test('a cluster is named in Kubernetes or by addresses', () => {
  const shop = { context: 'prod', namespace: 'shop', name: 'cart' };
  assert.deepEqual(parseClusterRef({ ...shop, extra: 1 }), shop);
  assert.deepEqual(parseClusterRef({ addresses: ['127.0.0.1:7000'] }), { addresses: ['127.0.0.1:7000'] });
  assert.equal(clusterKey(shop), 'kubernetes/prod/shop/cart');
  assert.equal(describeRef(shop), 'cart (context prod, namespace shop)');
  for (const wrong of [undefined, {}, { addresses: [] }, { context: 1, namespace: 'a', name: 'b' }]) {
    assert.throws(() => parseClusterRef(wrong), /Name a cluster by/);
  }
});

test('addresses are host and port', () => {
  assert.deepEqual(parseAddress('[::1]:6379'), { host: '::1', port: 6379 });
  assert.equal(formatAddress({ host: '::1', port: 6379 }), '[::1]:6379');
  for (const wrong of ['localhost', 'a:0', 'a:70000', ':1', ''])
    assert.throws(() => parseAddress(wrong), /is not an address/);
});
