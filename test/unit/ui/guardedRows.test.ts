import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowsOf, type TreeState } from '../../../src/ui/tree/rows.ts';

const state: TreeState = {
  contexts: [
    {
      name: 'test',
      status: 'ready',
      scopes: [{ context: 'test', namespace: undefined, read: true, clusters: [] }],
    },
  ],
  addressClusters: [],
  kubeconfigProblems: [],
  grouping: 'shards',
  guards: { readOnly: [], protected: [] },
  work: () => ({ all: [], unfinished: [] }),
};

test('a guarded context has a lock and says so first', () => {
  const [open] = rowsOf(state);
  const [locked] = rowsOf({ ...state, guards: { readOnly: ['te*'], protected: [] } });
  const [asking] = rowsOf({ ...state, guards: { readOnly: [], protected: ['test'] } });
  assert.equal(open?.description, '0 clusters');
  assert.deepEqual([locked?.icon.name, locked?.description], ['lock', 'read-only · 0 clusters']);
  assert.deepEqual([asking?.icon.name, asking?.description], ['lock', 'protected · 0 clusters']);
  assert.match(locked?.tooltip?.join('\n') ?? '', /no command changes a cluster here/);
});
