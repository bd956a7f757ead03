import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linesIn } from '../../../src/model/internedNodes.ts';
import type { KnownNode } from '../../../src/model/nodeView.ts';
import { mergeViews } from '../../../src/inventory/mergeViews.ts';
import { ids, line, pod, silent, snapshotOf, source, view } from '../sample.ts';

test('six nodes that answer are what their own lines say', () => {
  const { nodes, unknownNodes, loosePods } = snapshotOf(ids.map((id) => source(id)));
  assert.deepEqual(
    nodes.map((node) => [node.id, node.role, node.health]),
    ids.map((id) => [id, id.startsWith('m') ? 'master' : 'replica', 'ok']),
  );
  assert.equal(nodes.find((node) => node.id === 'r0')?.lagBytes, 100);
  assert.deepEqual([unknownNodes, loosePods], [[], []]);
});

test('a role is taken from the myself line, not from gossip that lags', () => {
  const promoted = source('r0', { self: line('r0', { flags: ['master'], slots: [[0, 5460]] }) });
  const { nodes } = mergeViews([
    ...ids.filter((id) => id !== 'r0' && id !== 'm0').map((id) => source(id)),
    promoted,
    silent('m0'),
  ]);
  assert.equal(nodes.find((node) => node.id === 'r0')?.role, 'master');
  assert.deepEqual(
    nodes.find((node) => node.id === 'm0')?.slots,
    [],
    'what another master serves is no longer its',
  );
});

test('a master that is down keeps its row, its pod and its slots, and says since when', () => {
  const { nodes, loosePods } = mergeViews([silent('m0'), ...ids.slice(1).map((id) => source(id))]);
  const down = nodes.find((node) => node.id === 'm0');
  assert.equal(down?.health, 'unreachable');
  assert.deepEqual(down.unreachable, { since: 1, reason: 'unreachable', message: 'No answer within 3 s.' });
  assert.equal(down.pod?.name, 'cart-0');
  assert.deepEqual(down.slots, [[0, 5460]]);
  assert.deepEqual(loosePods, []);
});

test('a node that its peers call failed is failed; a pod that waits for its image is loose', () => {
  const others = ids.slice(1).map((id) => {
    const own = view(id);
    return source(id, {
      others: own.others.map((other) =>
        other.id === 'm0' ? { ...other, flags: ['master', 'fail'] } : other,
      ),
    });
  });
  const waiting = {
    pod: pod('cart-6', '10.0.9.9', { phase: 'Pending', reason: 'ImagePullBackOff' }),
    reading: { tried: true },
  };
  const { nodes, loosePods } = mergeViews([...others, silent('m0'), waiting]);
  assert.equal(nodes.find((node) => node.id === 'm0')?.health, 'failed');
  assert.deepEqual(
    loosePods.map((one) => one.name),
    ['cart-6'],
  );
});

test('a failed master keeps its slots where a newcomer knows it by gossip alone', () => {
  const dead = line('m2', { flags: ['master', 'fail'], linkState: 'disconnected' });
  const hearsay = { ...dead, slots: [], configEpoch: 0 };
  const newcomer = line('m3', { configEpoch: 0 });
  const seen = (id: string): readonly KnownNode[] =>
    view(id).others.flatMap((other) =>
      other.id === 'm2' ? [dead] : other.id === 'r2' ? [newcomer] : [other],
    );
  const rest = ['m0', 'm1', 'r0', 'r1'].map((id) => source(id, { others: seen(id) }));
  const known = ['m0', 'm1', 'r0', 'r1'].map((id) => line(id));
  const late = source('m3', { self: newcomer, others: [...known, hearsay] });
  for (const sources of [
    [late, ...rest],
    [...rest, late],
  ]) {
    const { nodes, unknownNodes } = mergeViews(sources);
    const lost = nodes.find(({ id }) => id === 'm2');
    assert.deepEqual([lost?.health, lost?.slots, lost?.configEpoch], ['failed', [[10923, 16383]], 3]);
    assert.deepEqual(unknownNodes, []);
  }
});

test('a node that answers is degraded where one peer alone calls it failed', () => {
  const doubting = source('m1', {
    others: view('m1').others.map((other) =>
      other.id === 'm2' ? { ...other, flags: ['master', 'fail'] } : other,
    ),
  });
  const { nodes } = mergeViews(ids.map((id) => (id === 'm1' ? doubting : source(id))));
  assert.deepEqual(
    nodes.filter(({ health }) => health !== 'ok').map(({ id, health }) => [id, health]),
    [['m2', 'degraded']],
  );
});

test('a pod that came back with another node id is not the node that it was: that one is a ghost', () => {
  const ghost = line('m9', { flags: ['master', 'fail'], slots: [], host: '10.0.0.9' });
  const sources = ids.map((id) => source(id, { others: [...view(id).others, ghost] }));
  const { nodes, unknownNodes } = mergeViews(sources);
  assert.equal(nodes.length, 6);
  assert.deepEqual(
    unknownNodes.map((one) => one.id),
    ['m9'],
  );
});

test('servers that know nobody are loose beside a cluster, and the cluster itself where there is no other', () => {
  const isolated = (index: number) => ({
    pod: pod(`cart-${index}`, `10.0.5.${index}`),
    reading: {
      tried: true,
      view: view('m0', {
        self: line('m0', { id: `x${index}`, slots: [] }),
        others: [],
        clusterState: 'fail' as const,
        keys: 0,
      }),
    },
  });
  assert.deepEqual(
    mergeViews([...ids.map((id) => source(id)), isolated(6)]).loosePods.map((one) => one.name),
    ['cart-6'],
  );
  assert.equal(mergeViews([isolated(0), isolated(1)]).nodes.length, 2);
});

test('what views tell is gathered once, until one of them says something else', () => {
  const views = ids.slice(0, 3).map((id) => view(id));
  const told = linesIn(views);
  assert.equal(linesIn([...views]), told);
  const failed = line('r2', { flags: ['slave', 'fail'] });
  const [first, second, third] = views.map((one) => ({ ...one, others: [...one.others] }));
  for (const changed of [
    [views[0], views[1], { ...third, others: [...(third?.others ?? []), failed] }],
    [{ ...first, others: [...(first?.others ?? []), failed] }, second, third],
    [...views, { ...views[0], others: [failed] }],
  ] as (typeof views)[]) {
    assert.ok(linesIn(changed).has(failed));
  }
  assert.ok(!linesIn(views).has(failed));
  assert.deepEqual([...linesIn(views.slice(0, 1))], views[0]?.others);
  assert.equal(linesIn([]).size, 0);
});

test('servers that lost their node ids and kept their keys are parts of one cluster, the largest first', () => {
  const lost = (index: number, keys: number) => ({
    pod: pod(`cart-${index}`, `10.0.5.${index}`),
    reading: {
      tried: true,
      view: view('m0', {
        self: line('m0', { id: `x${index}`, slots: [[index * 100, index * 100 + 50]] }),
        others: [],
        keys,
      }),
    },
  });
  const { nodes, otherParts, loosePods } = mergeViews([lost(0, 3), lost(1, 40), lost(2, 0)]);
  assert.deepEqual(
    nodes.map(({ id }) => id),
    ['x1'],
  );
  assert.deepEqual(
    otherParts.map(({ keys, nodes: [node] }) => [node?.pod?.name, keys]),
    [
      ['cart-0', 3],
      ['cart-2', 0],
    ],
  );
  assert.deepEqual(
    loosePods.map(({ name }) => name),
    ['cart-0', 'cart-2'],
  );
});

test('the part that was the cluster before stays it while it holds keys', () => {
  const alone = {
    pod: pod('cart-6', '10.0.9.9'),
    reading: {
      tried: true,
      view: view('m0', { self: line('m0', { id: 'x6', slots: [[0, 5460]] }), others: [], keys: 9_999 }),
    },
  };
  const sources = [alone, ...ids.map((id) => source(id))];
  assert.equal(mergeViews(sources).nodes.length, 1, 'nothing is known of before');
  const kept = mergeViews(sources, { known: new Set(ids) });
  assert.equal(kept.nodes.length, 6);
  assert.deepEqual(
    kept.otherParts.map(({ why, keys }) => [why, keys]),
    [['lost-identity', 9_999]],
  );
});

test('two servers on one host are told apart by their ports, and one pod is one node', () => {
  const place = { host: '192.0.2.0', linkState: 'disconnected' as const };
  const down = [0, 1].map((index) => ({
    pod: pod(`x-${index}`, '192.0.2.0', { port: 7000 + index, ended: index === 0 }),
    reading: { tried: true, failure: { reason: 'pod' as const, message: 'down' } },
  }));
  const others = [line('m0', { ...place, port: 7000 }), line('m1', { ...place, port: 7001 })];
  const { nodes, loosePods } = mergeViews([source('m2', { others }), ...down]);
  assert.deepEqual(
    nodes.map((node) => [node.id, node.pod?.name]),
    [
      ['m2', 'cart-2'],
      ['m0', 'x-0'],
      ['m1', 'x-1'],
    ],
  );
  assert.deepEqual(loosePods, []);
  const [first] = down;
  assert.ok(first);
  const one = mergeViews([source('m2', { others }), first]);
  assert.equal(one.nodes.find(({ id }) => id === 'm0')?.pod?.name, 'x-0');
  assert.equal(one.nodes.find(({ id }) => id === 'm1')?.pod, undefined);
});

test('a pod whose node was another one is not the one that its address was given to before', () => {
  const line0 = line('m0', { host: '10.0.2.1', flags: ['slave', 'fail'], masterId: 'm1', slots: [] });
  const moved = {
    pod: pod('cart-9', '10.0.2.1'),
    reading: { tried: true, failure: { reason: 'timeout' as const, message: 'late' }, lastId: 'm7' },
  };
  const { unknownNodes, loosePods } = mergeViews([source('m1', { others: [line0] }), moved]);
  assert.deepEqual(
    [unknownNodes.map(({ id }) => id), loosePods.map(({ name }) => name)],
    [['m0'], ['cart-9']],
  );
});

test('an empty newcomer has lost its volume where a member is missed, not where one is just being introduced', () => {
  const newcomer = {
    pod: pod('cart-6', '10.0.9.9'),
    reading: {
      tried: true,
      view: view('m0', {
        self: line('m0', { id: 'x6', slots: [] }),
        others: [],
        keys: 0,
        slotsAssigned: 0,
        uptimeSeconds: 5,
      }),
    },
  };
  const whyBeside = (flags: readonly string[]): readonly string[] => {
    const ghost = line('r2', { id: 'ghost', host: '10.0.9.8', flags });
    const sources = ids.map((id) => source(id, { others: [...view(id).others, ghost] }));
    return mergeViews([...sources, newcomer], { known: new Set(ids) }).otherParts.map(({ why }) => why);
  };
  assert.deepEqual(whyBeside(['slave', 'fail']), ['lost-volume']);
  assert.deepEqual(whyBeside(['handshake']), ['never-joined']);
});
