import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KnownNode, NodeView } from '../../../src/model/nodeView.ts';
import type { SlotSet } from '../../../src/model/slots.ts';
import type { ClusterSnapshot, RedisNode } from '../../../src/model/snapshot.ts';
import { slotMapState } from '../../../src/ui/panels/slotMap/slotMapState.ts';
import { ids, line, silent, snapshotOf, source } from '../sample.ts';
import { nothingElse } from '../../support/nothingElse.ts';

const thirds: readonly SlotSet[] = [[[0, 5460]], [[5461, 10_922]], [[10_923, 16_383]]];

function view(id: string, open: Partial<Pick<KnownNode, 'migrating' | 'importing'>> = {}): NodeView {
  const self: KnownNode = {
    id,
    host: '10.0.0.1',
    port: 6379,
    busPort: 16_379,
    flags: ['master'],
    configEpoch: 1,
    linkState: 'connected',
    slots: [],
    migrating: [],
    importing: [],
    ...open,
  };
  return {
    self,
    // Somebody else, so that these are members of a cluster.
    others: [{ ...self, id: 'else' }],
    clusterState: 'ok',
    slotsAssigned: 16_384,
    currentEpoch: 3,
    product: 'redis',
    version: '8.2.1',
    loading: false,
    keys: 12,
    usedMemoryBytes: 1,
    maxMemoryBytes: 0,
    uncountedMemoryBytes: 0,
    evictionPolicy: 'noeviction',
    persistence: { appendOnlyWritten: true, appendOnlyRewritten: true, snapshotSaved: true },
    uptimeSeconds: 1,
    replication: { role: 'master', offset: 0, replicas: [] },
  };
}

function silentMaster(id: string, slots: SlotSet, rest: Partial<RedisNode> = {}): RedisNode {
  const port = 7000 + id.charCodeAt(0) - 97;
  const node = { id, host: '127.0.0.1', port, busPort: port + 10_000, role: 'master' as const };
  return { ...node, slots, configEpoch: 1, health: 'ok', ...rest };
}

function master(id: string, slots: SlotSet, rest: Partial<RedisNode> = {}): RedisNode {
  return silentMaster(id, slots, { view: view(id), ...rest });
}

function replica(id: string, masterId: string): RedisNode {
  return { ...master(id, []), role: 'replica', masterId };
}

function snapshot(nodes: readonly RedisNode[], rest: Partial<ClusterSnapshot> = {}): ClusterSnapshot {
  return {
    ref: { context: 'kind', namespace: 'shop', name: 'redis' },
    name: 'redis',
    takenAt: 1,
    nodes,
    ...nothingElse,
    workloads: [],
    ...rest,
  };
}

const three = ['a', 'b', 'c'].map((id, index) => master(id, thirds[index] ?? []));

test('a healthy cluster is shown by shard with counts, keys and replicas', () => {
  const state = slotMapState(snapshot([...three, replica('d', 'a')]));
  assert.equal(state.where, 'context kind · namespace shop');
  assert.equal(state.standing, 'known');
  assert.deepEqual(
    state.shards.map(({ label, count, keys, healthText }) => ({ label, count, keys, healthText })),
    [
      { label: '127.0.0.1:7000', count: 5461, keys: 12, healthText: 'Healthy' },
      { label: '127.0.0.1:7001', count: 5462, keys: 12, healthText: 'Healthy' },
      { label: '127.0.0.1:7002', count: 5461, keys: 12, healthText: 'Healthy' },
    ],
  );
  assert.deepEqual(state.shards[0]?.replicas, [{ name: '127.0.0.1:7003', health: 'ok' }]);
  assert.deepEqual([state.uncovered, state.moving, state.contested, state.problems], [[], [], [], []]);
});

test('the state survives JSON as it is', () => {
  const state = slotMapState(snapshot([...three, replica('d', 'a')]));
  assert.deepEqual(JSON.parse(JSON.stringify(state)), state);
});

test('an open slot names both ends, and who of them calls it open', () => {
  const source = master('a', [[0, 9]], {
    view: view('a', { migrating: [3, 4].map((slot) => ({ slot, nodeId: 'b' })) }),
  });
  const target = master('b', [[10, 16_383]], { view: view('b', { importing: [{ slot: 3, nodeId: 'a' }] }) });
  const ends = { from: 'a', fromName: '127.0.0.1:7000', to: 'b', toName: '127.0.0.1:7001' };
  assert.deepEqual(slotMapState(snapshot([source, target])).moving, [
    { ...ends, slots: [[3, 3]], saidBy: 'both' },
    { ...ends, slots: [[4, 4]], saidBy: 'source' },
  ]);
});

test('a slot that two masters claim belongs to the one with the higher config epoch', () => {
  const state = slotMapState(
    snapshot([master('a', [[0, 9]], { configEpoch: 5 }), master('b', [[8, 16_383]], { configEpoch: 2 })]),
  );
  assert.deepEqual(state.contested, [{ slots: [[8, 9]], owner: 'a', other: 'b' }]);
  assert.deepEqual(state.problems, ['127.0.0.1:7000 and 127.0.0.1:7001 both claim 2 slots: 8-9.']);
});

test('uncovered slots, a failed master and an unanswering node are said in words', () => {
  const unreachable = { since: 1, reason: 'unreachable' as const, message: 'timed out after 2 s' };
  const nodes = [
    master('a', [[0, 99]], { health: 'failed' }),
    silentMaster('c', thirds[2] ?? [], { unreachable }),
  ];
  const state = slotMapState(snapshot([...nodes, master('b', [])]));
  assert.deepEqual(state.uncovered, [[100, 10_922]]);
  assert.deepEqual(state.problems, [
    '10,823 slots not covered by any master: 100-10922.',
    '127.0.0.1:7000 has failed: 100 slots not served.',
    '127.0.0.1:7002 does not answer: timed out after 2 s.',
  ]);
});

test('a long list of uncovered ranges is cut at a comma', () => {
  const even: SlotSet = Array.from({ length: 8192 }, (_, index) => [index * 2, index * 2] as const);
  const [problem = ''] = slotMapState(snapshot([master('a', even)])).problems;
  assert.match(problem, /^8,192 slots not covered by any master: [\d,]*\d …\.$/);
  assert.ok(problem.length < 120);
});

test('a cluster without slots is empty, and one whose nodes are all silent is unreachable', () => {
  const silent = silentMaster('a', thirds[0] ?? []);
  assert.equal(slotMapState(snapshot([master('a', []), master('b', [])])).standing, 'empty');
  assert.deepEqual(slotMapState(snapshot([master('a', []), master('b', [])])).problems, []);
  assert.equal(slotMapState(snapshot([silent])).standing, 'unreachable');
  assert.equal(slotMapState(snapshot([])).standing, 'unreachable');
});

test('a shard is called by its pod, with the address beside it, or by its id where only replicas are known', () => {
  const pod = { name: 'redis-0' } as NonNullable<RedisNode['pod']>;
  const { shards } = slotMapState(
    snapshot([master('a', [[0, 16_383]], { pod }), replica('d', 'feedbeef01234567')]),
  );
  assert.deepEqual(
    shards.map(({ label, address, health }) => [label, address, health]),
    [
      ['redis-0', '127.0.0.1:7000', 'ok'],
      ['feedbeef', undefined, 'unknown'],
    ],
  );
});

test('while slots move the bar says how far, open slots are no fault, and no shard changes its place', () => {
  const sample = snapshotOf(ids.map((id) => source(id)));
  const before = slotMapState(sample);
  const order = before.shards.map(({ id }) => id);
  assert.equal(before.running, undefined);
  assert.deepEqual(order, ['m0', 'm1', 'm2']);
  const moved = snapshotOf(
    ids.map((id) =>
      id === 'm0'
        ? source(id, {
            self: line('m0', { slots: [[5000, 5460]], migrating: [{ slot: 5000, nodeId: 'm2' }] }),
          })
        : id === 'm2'
          ? source(id, {
              self: line('m2', {
                slots: [
                  [0, 4999],
                  [10923, 16383],
                ],
              }),
            })
          : source(id),
    ),
  );
  const progress = { text: 'Move', done: 4999, total: 5000, unit: 'slots' };
  const own = { title: 'Reshard 5,000 slots', operation: 'reshard', progress };
  const state = slotMapState(moved, undefined, { own, all: [own] }, order);
  assert.deepEqual(
    state.shards.map(({ id }) => id),
    order,
  );
  assert.deepEqual(state.running, {
    ...{ title: 'Reshard 5,000 slots', text: 'Move', canCancel: true },
    ...{ counted: '4,999 of 5,000 slots', percent: 99 },
  });
  assert.equal(state.openIsExpected, true);
  assert.deepEqual([state.problems, state.expected], [[], []]);
  const after = slotMapState(moved, undefined, { all: [] }, order);
  assert.deepEqual(
    after.shards.map(({ id }) => id),
    ['m2', 'm0', 'm1'],
  );
  assert.equal(after.openIsExpected, false);
});

test('a node that a colleague restarts is expected to be away, and only its own window can cancel that', () => {
  const away = snapshotOf(ids.map((id) => (id === 'r1' ? silent(id) : source(id))));
  assert.match(slotMapState(away).problems[0] ?? '', /does not answer/);
  const theirs = { title: 'Upgrade cart', operation: 'upgrade', holder: 'ann on ci-3' };
  const state = slotMapState(away, undefined, { all: [theirs] });
  assert.deepEqual(state.problems, []);
  assert.match(state.expected[0] ?? '', /^Replica .* does not answer\. Expected while “Upgrade cart” runs\./);
  assert.deepEqual(state.running, { title: 'Upgrade cart', holder: 'ann on ci-3', canCancel: false });
});

test('slots that are being moved are not shown as claimed by two masters, others are', () => {
  const self = { ...line('m0'), configEpoch: 9, slots: [[0, 5470]] as const };
  const moved = snapshotOf(ids.map((id) => source(id, id === 'm0' ? { self } : {})));
  const reshard = { title: 'Reshard', operation: 'reshard' };
  const during = (slots: SlotSet): readonly SlotSet[] =>
    slotMapState(moved, undefined, { all: [{ ...reshard, slots }] }).contested.map((one) => one.slots);
  assert.deepEqual(during([[5461, 5470]]), []);
  assert.deepEqual(during([[5461, 5468]]), [[[5469, 5470]]]);
  assert.equal(slotMapState(moved, undefined, { all: [reshard] }).contested.length, 0);
  assert.equal(slotMapState(moved).contested.length, 1);
});
