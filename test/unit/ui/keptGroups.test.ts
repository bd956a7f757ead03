import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Memento } from 'vscode';
import type { SavedGroups } from '../../../src/inventory/lastGroups.ts';
import { keptGroups } from '../../../src/ui/keptGroups.ts';

/** State as VS Code keeps it: as JSON. */
function memento(): Memento & { readonly size: () => number } {
  const values = new Map<string, string>();
  return {
    keys: () => [...values.keys()],
    get: (key: string, fallback?: unknown): never =>
      (values.has(key) ? JSON.parse(values.get(key) ?? '') : fallback) as never,
    update: (key: string, value: unknown) => {
      values.set(key, JSON.stringify(value));
      return Promise.resolve();
    },
    size: () => [...values.values()].join('').length,
  };
}

const groups = (name: string, ids = 6): SavedGroups => ({
  workloads: [[`StatefulSet/${name}`, { name, wasWhole: true, uid: 'u' }]],
  members: [[name, Array.from({ length: ids }, (_, index) => `${index}`.padStart(40, '0'))]],
});

test('groupings are kept by context and namespace, for the next window', () => {
  const state = memento();
  keptGroups(state).write('a/b', 'c', groups('shop'));
  keptGroups(state).write('a', 'b/c', groups('cart'));
  const next = keptGroups(state);
  assert.deepEqual(next.read('a/b', 'c'), groups('shop'));
  assert.deepEqual(next.read('a', 'b/c'), groups('cart'));
  assert.equal(next.read('a', 'b'), undefined);
});

test('what is kept stays small, the newest of it', () => {
  const state = memento();
  const store = keptGroups(state);
  for (let index = 0; index < 80; index++) store.write('context', `ns-${index}`, groups('shop'));
  assert.equal(store.read('context', 'ns-29'), undefined);
  assert.deepEqual(store.read('context', 'ns-30'), groups('shop'));
  store.write('context', 'ns-79', groups('shop', 5_000));
  assert.equal(store.read('context', 'ns-79'), undefined, 'rather none than one that is not true any more');
  assert.ok(state.size() < 100_000, `${state.size()} characters`);
});

test('what cannot be read is not there', async () => {
  const state = memento();
  for (const stored of [
    'x',
    [['["c","n"]', { workloads: {} }]],
    [['["c","n"]', { workloads: [['a']], members: [] }]],
  ]) {
    await state.update('redisCluster.lastGroups', stored);
    assert.equal(keptGroups(state).read('c', 'n'), undefined);
  }
});
