import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guardedName, guardOf } from '../../../src/model/guards.ts';

const guards = { readOnly: ['arn:aws:eks:*:cluster/prod'], protected: ['prod-*', '10.0.0.1:6379', 'a.b'] };

test('contexts and addresses are guarded by name, and read-only is the stronger guard', () => {
  const cluster = (context: string) => ({ context, namespace: 'shop', name: 'cart' });
  assert.equal(guardOf('prod-eu', guards), 'protected');
  assert.equal(guardOf('pre-prod-eu', guards), undefined);
  assert.equal(guardOf('prod', guards), undefined);
  assert.equal(guardOf(cluster('arn:aws:eks:eu-1:42:cluster/prod'), guards), 'readOnly');
  assert.equal(guardOf(cluster('arn:aws:eks:eu-1:42:cluster/prod2'), guards), undefined);
  assert.equal(guardOf('axb', guards), undefined, 'a dot is a dot');
  assert.equal(guardOf({ addresses: ['10.0.0.9:1', '10.0.0.1:6379'] }, guards), 'protected');
  assert.equal(guardOf('prod-eu', { ...guards, readOnly: ['*'] }), 'readOnly');
  assert.equal(guardOf('anything', { readOnly: [], protected: [] }), undefined);
});

test('what is typed is the context, or the first address', () => {
  assert.equal(guardedName({ context: 'prod', namespace: 'shop', name: 'cart' }), 'prod');
  assert.equal(guardedName({ addresses: ['h:1', 'h:2'] }), 'h:1');
});
