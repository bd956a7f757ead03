import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitingPods } from '../../../src/operations/shape/grow.ts';
import { ids, pod, snapshotOf, source } from '../sample.ts';

test('pods that are deleted or have ended wait for nothing', () => {
  const loosePods = [
    pod('cart-6', '10.0.0.6'),
    pod('cart-7', '10.0.0.7', { deleting: true }),
    pod('cart-8', '', { phase: 'Failed', ready: false, reason: 'Evicted' }),
    pod('cart-9', '', { phase: 'Succeeded', ready: false }),
  ];
  const snapshot = { ...snapshotOf(ids.map((id) => source(id))), loosePods };
  assert.deepEqual(waitingPods(snapshot, 'cart'), ['cart-6']);
});
