import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import type { Row } from '../../../src/ui/tree/row.ts';
import { rowsOf, type TreeState } from '../../../src/ui/tree/rows.ts';
import { behindNat, ids, snapshotOf, source } from '../sample.ts';

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

test('a guarded cluster by address has a lock as long as nothing else is to be seen', () => {
  const rowOf = (snapshot: ClusterSnapshot): Row | undefined => {
    const ref = { addresses: ['10.0.0.0:6379'] };
    const source = { ref, name: 'cart', sandbox: false };
    const guards = { readOnly: ['10.*'], protected: [] };
    return rowsOf({ ...state, contexts: [], addressClusters: [{ source, snapshot }], guards })[0];
  };
  const healthy = rowOf(snapshotOf(ids.map((id) => source(id))));
  assert.deepEqual([healthy?.icon.name, healthy?.icon.color], ['lock', 'testing.iconPassed']);
  const broken = rowOf(behindNat());
  assert.deepEqual([broken?.icon.name, broken?.description?.split(' · ')[0]], ['error', 'read-only']);
});

test('a guarded context has a lock and says so first', () => {
  const [open] = rowsOf(state);
  const [locked] = rowsOf({ ...state, guards: { readOnly: ['te*'], protected: [] } });
  const [asking] = rowsOf({ ...state, guards: { readOnly: [], protected: ['test'] } });
  assert.equal(open?.description, '0 clusters');
  assert.deepEqual([locked?.icon.name, locked?.description], ['lock', 'read-only · 0 clusters']);
  assert.deepEqual([asking?.icon.name, asking?.description], ['lock', 'protected · 0 clusters']);
  assert.match(locked?.tooltip?.join('\n') ?? '', /no command changes a cluster here/);
});
