import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupPods, type Group } from '../../../src/inventory/grouping.ts';
import { LastGroups } from '../../../src/inventory/lastGroups.ts';
import type { Source } from '../../../src/inventory/source.ts';
import { commonName, type Unit } from '../../../src/inventory/units.ts';
import type { PodFacts } from '../../../src/model/snapshot.ts';
import { ids, line, pod, source, view } from '../sample.ts';
import { member, unit, whole } from './units.ts';

function silent(facts: PodFacts, lastId?: string): Source {
  const failure = { reason: 'timeout' as const, message: 'No answer within 3 s.' };
  return { pod: facts, reading: { tried: true, failure, ...(lastId === undefined ? {} : { lastId }) } };
}

function blank(name: string, ip: string): Source {
  const own = view('m0', { self: line('m0', { id: `new-${name}`, slots: [] }), others: [], keys: 0 });
  return { pod: pod(name, ip), reading: { tried: true, lastId: own.self.id, view: own } };
}

const shapes = (groups: readonly Group[]): unknown =>
  groups.map(({ name, sources }) => [name, sources.length]);
const group = (units: readonly Unit[], last = new LastGroups()): readonly Group[] => groupPods(units, last);

test('one cluster is the set of nodes that know each other, whatever owns their pods', () => {
  const [leaders, followers] = [ids.slice(0, 3), ids.slice(3)].map((some) => some.map((id) => source(id)));
  const groups = group([unit('shop-leader', leaders ?? []), unit('shop-follower', followers ?? [])]);
  assert.deepEqual(shapes(groups), [['shop', 6]]);
  assert.deepEqual(groups[0]?.mergedFrom, []);
});

test('two clusters that do not know each other stay apart, whoever made them', () => {
  const kin = { clusters: ['Tenant/a'], name: 'a' };
  for (const [one, other] of [
    [unit('cart', whole('c')), unit('stock', whole('s'))],
    [unit('cart', whole('c'), kin), unit('stock', whole('s'), kin)],
    [unit('cart', whole('c'), { release: 'r' }), unit('stock', whole('s'), { release: 'r' })],
  ] as const) {
    assert.deepEqual(shapes(group([one, other])), [
      ['cart', 6],
      ['stock', 6],
    ]);
  }
});

test('a pod that does not answer goes with its workload', () => {
  const groups = group([unit('cart', [...whole(''), silent(pod('cart-6', '10.0.9.9'))])]);
  assert.deepEqual(shapes(groups), [['cart', 7]]);
});

test('a pod at an address that a failed node of another cluster had stays with its own workload', () => {
  const gone = line('r0', { id: 'f', host: '10.0.2.1', flags: ['slave', 'fail'], linkState: 'disconnected' });
  const cart = ids.map((id) => {
    const own = member('c', id);
    const others = [...(own.reading.view?.others ?? []), gone];
    return { ...own, reading: { ...own.reading, view: { ...view(id), ...own.reading.view, others } } };
  });
  const place = pod('stock-1', '10.0.2.1');
  const stock = [
    [...whole('s').slice(1), silent(place, 'sr2')],
    [silent(place, 'sr2')],
    [silent(place)],
    [...whole('s').slice(1), silent(place)],
  ];
  for (const pods of stock) {
    assert.deepEqual(shapes(group([unit('cart', cart), unit('stock', pods)])), [
      ['cart', 6],
      ['stock', pods.length],
    ]);
  }
});

test('a StatefulSet for each shard is one cluster while a whole shard is silent', () => {
  const shards = [0, 1, 2].map((index) =>
    [`m${index}`, `r${index}`].map((id) =>
      index === 0 ? silent(source(id).pod ?? pod(id, ''), id) : source(id),
    ),
  );
  const groups = group(shards.map((sources, index) => unit(`shop-${index}`, sources)));
  assert.deepEqual(shapes(groups), [['shop', 6]]);
});

test('what an operator made as one is one while no pod answers, by its name', () => {
  const units = [0, 1, 2].map((index) =>
    unit(`vk-${index}-0`, [silent(pod(`vk-${index}-0-0`, ''))], {
      clusters: [`ValkeyNode/vk-${index}-0`, 'valkey.io/cluster=vk'],
      name: 'vk',
    }),
  );
  assert.deepEqual(shapes(group(units)), [['vk', 3]]);
});

test('workloads of one release are one cluster only where they are too small to be clusters', () => {
  const parts = (size: number) =>
    ['a', 'b'].map((name) =>
      unit(
        name,
        Array.from({ length: size }, (_, index) => silent(pod(`${name}-${index}`, ''))),
        { release: 'r' },
      ),
    );
  assert.equal(group(parts(1)).length, 1);
  assert.equal(group(parts(3)).length, 2);
});

test('a pod that is replaced is no cluster of its own in between', () => {
  const last = new LastGroups();
  const shards = ids.map((id, index) => unit(`node-${index}`, [source(id)]));
  assert.deepEqual(shapes(group(shards, last)), [['node', 6]]);
  const [, ...others] = shards;
  for (const [state, count] of [
    [[], 5],
    [[silent(pod('node-0-0', ''))], 6],
    [[blank('node-0-0', '10.7.7.7')], 6],
  ] as const) {
    assert.deepEqual(shapes(group([unit('node-0', state, {}, 1), ...others], last)), [['node', count]]);
  }
});

test('a workload that was deleted and comes again is not held by what it was', () => {
  const last = new LastGroups();
  group([unit('a', [source('m0'), source('m1')]), unit('b', [source('m2')])], last);
  group([unit('a', [source('m0'), source('m1')])], last);
  assert.equal(group([unit('a', [source('m0')]), unit('b', [blank('b-0', '10.8.8.8')])], last).length, 2);
});

test('what was one cluster in an earlier window is one after its nodes have lost each other', () => {
  const before = new LastGroups();
  const uids = new Map(ids.map((_, index) => [`node-${index}`, `uid-${index}`]));
  const made = (name: string, sources: readonly Source[], uid = uids.get(name)): Unit => ({
    ...unit(name, sources),
    ...(uid === undefined ? {} : { uid }),
  });
  group(
    ids.map((id, index) => made(`node-${index}`, [source(id)])),
    before,
  );
  before.rememberMembers('node', [{ id: 'm0', view: {} }, { id: 'm1' }] as never);
  const saved = before.changes();
  assert.ok(saved !== undefined);
  assert.equal(before.changes(), undefined, 'only changes are kept');
  const reopened = (): LastGroups => new LastGroups(JSON.parse(JSON.stringify(saved)) as typeof saved);
  const lost = ids.map((_, index) => blank(`node-${index}-0`, `10.0.6.${index}`));
  const apart = (uid?: string): readonly Unit[] =>
    lost.map((one, index) => made(`node-${index}`, [one], index === 0 ? uid : undefined));
  assert.deepEqual(shapes(group(apart(), reopened())), [['node', 6]]);
  assert.deepEqual([...reopened().membersOf('node')], ['m0', 'm1']);
  const another = group(apart('uid-of-another'), reopened());
  assert.deepEqual(
    another.map(({ sources }) => sources.length).sort(),
    [1, 5],
    'a workload made anew under the name is not held by what that was',
  );
  assert.equal(group(apart()).length, 6);
});

test('workloads of one owner’s owner are one cluster, unless each of its own makes one', () => {
  const node = (name: string, owners: readonly string[]): Unit => ({
    ...unit(name, [blank(`${name}-0`, `10.0.7.${name.length}`)], { clusters: owners.slice(0, 1) }),
    owners,
  });
  const nodes = ['a', 'b'].flatMap((cluster) =>
    [0, 1, 2].map((index) =>
      node(`${cluster}${index}`, [`Node/${cluster}${index}`, `Shop/${cluster}`, 'Tenant/t']),
    ),
  );
  assert.deepEqual(shapes(group(nodes)), [
    ['a', 3],
    ['b', 3],
  ]);
  // While the second cluster has only its first pod, what owns both clusters does not make it one of the first.
  assert.deepEqual(shapes(group(nodes.slice(0, 4))), [
    ['a', 3],
    ['b0', 1],
  ]);
  const big = ['c', 'd'].map((name) => ({
    ...unit(name, [blank(`${name}-0`, ''), blank(`${name}-1`, ''), blank(`${name}-2`, '')]),
    owners: [`Shop/${name}`, 'Tenant/t'],
  }));
  assert.equal(group(big).length, 2);
});

test('servers of one workload that lost their ids are one cluster', () => {
  const lost = ids.map((_, index) => ({
    pod: pod(`cart-${index}`, `10.0.5.${index}`),
    reading: {
      tried: true,
      view: view('m0', { self: line('m0', { id: `x${index}`, slots: [[index, index]] }), others: [] }),
    },
  }));
  assert.deepEqual(shapes(group([unit('cart', lost)])), [['cart', 6]]);
});

test('the name stays with the cluster that holds the keys', () => {
  const few = whole('c').map(({ reading, ...rest }) => ({
    ...rest,
    reading: { ...reading, view: { ...view('m0'), ...reading.view, keys: 1 } },
  }));
  const groups = group([unit('a-1', few), unit('a-1', [])]);
  assert.equal(groups[0]?.name, 'a-1');
  const other = {
    ...unit('a-1', whole('s')),
    workload: { ...unit('a-1', []).workload, kind: 'Other' as const },
  };
  assert.deepEqual(
    group([unit('a-1', few), other]).map(({ name, sources }) => [name, sources[0]?.pod?.name]),
    [
      ['a-1', 'sm0'],
      ['a-1-2', 'cm0'],
    ],
  );
});

/** Nodes of two clusters that have come to know each other. */
function connected(): readonly [readonly Source[], readonly Source[]] {
  const [cart, stock] = [whole('c'), whole('s')];
  const lines = [...cart, ...stock].flatMap(({ reading }) => reading.view?.self ?? []);
  const all = (sources: readonly Source[]): readonly Source[] =>
    sources.map((one) => {
      const own = one.reading.view ?? view('m0');
      return {
        ...one,
        reading: { ...one.reading, view: { ...own, others: lines.filter(({ id }) => id !== own.self.id) } },
      };
    });
  return [all(cart), all(stock)];
}

test('two clusters whose nodes know each other are one that is called merged', () => {
  const [cart, stock] = connected();
  const [merged, ...others] = group([unit('cart', cart), unit('stock', stock)]);
  assert.deepEqual([merged?.mergedFrom, merged?.name, others], [['cart', 'stock'], 'cart', []]);
  const kin = { clusters: ['RedisCluster/shop'] };
  assert.deepEqual(group([unit('cart', cart, kin), unit('stock', stock, kin)])[0]?.mergedFrom, []);
});

test('two clusters that were two before are called merged, whatever became of their nodes', () => {
  const last = new LastGroups();
  group([unit('cart', whole('c')), unit('stock', whole('s'))], last);
  const [cart, stock] = connected();
  const loser = stock.map((one) => {
    const own = one.reading.view ?? view('m0');
    const self = { ...own.self, flags: ['slave'], masterId: 'cm0', slots: [] };
    return {
      ...one,
      reading: {
        ...one.reading,
        view: { ...own, self, replication: { ...own.replication, role: 'replica' as const } },
      },
    };
  });
  for (let round = 0; round < 2; round++) {
    const groups = group([unit('cart', cart), unit('stock', loser)], last);
    assert.deepEqual(
      groups.map(({ mergedFrom }) => mergedFrom),
      [['cart', 'stock']],
    );
  }
});

test('a StatefulSet for masters and one for replicas, or one for each shard, are not called merged', () => {
  const last = new LastGroups();
  const shard = (index: number): Unit => unit(`s${index}-x`, [source(`m${index}`), source(`r${index}`)]);
  // A reading in which not all have answered yet is no cluster that could have been merged.
  group([shard(0), unit('s1-x', [silent(pod('s1-x-0', ''))])], last);
  assert.deepEqual(group([shard(0), shard(1), shard(2)], last)[0]?.mergedFrom, []);
  const crossed = [
    ['m0', 'm1', 'r2'],
    ['r0', 'r1', 'm2'],
  ].map((some, index) =>
    unit(
      `zone-${index}`,
      some.map((id) => source(id)),
    ),
  );
  assert.deepEqual(group(crossed)[0]?.mergedFrom, []);
});

test('several workloads are called by what their names have in common', () => {
  assert.equal(commonName(['cart']), 'cart');
  assert.equal(commonName(['shop-leader', 'shop-follower']), 'shop');
  assert.equal(commonName(['a', 'b']), 'a');
});

test('a workload that is scaled to 0 pods is still its cluster', () => {
  const last = new LastGroups();
  group([unit('cart', whole('c'))], last);
  assert.deepEqual(shapes(group([unit('cart', [])], last)), [['cart', 0]]);
});
