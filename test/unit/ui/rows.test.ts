import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Unfinished } from '../../../src/operations/run/journal.ts';
import { changedRows, indexRows } from '../../../src/ui/tree/changedRows.ts';
import type { ClusterWork } from '../../../src/ui/tree/clusterRow.ts';
import { ClusterRows } from '../../../src/ui/tree/clusterRows.ts';
import type { Row } from '../../../src/ui/tree/row.ts';
import { rowsOf, type TreeState } from '../../../src/ui/tree/rows.ts';
import { commandName } from '../../../src/ui/commandNames.ts';
import type { Progress } from '../../../src/model/progress.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { UserError } from '../../../src/model/errors.ts';
import { behindNat, ids, line, pod, silent, snapshotOf, source, view } from '../sample.ts';

function stateWith(clusters: readonly ClusterSnapshot[]): TreeState {
  const scope = { context: 'test', namespace: undefined, read: true, clusters };
  return {
    contexts: [{ name: 'test', status: 'ready', scopes: [scope] }],
    addressClusters: [],
    kubeconfigProblems: [],
    grouping: 'shards',
    guards: { readOnly: [], protected: [] },
    work: () => ({ all: [], unfinished: [] }),
  };
}

function workOf(progress: Progress): ClusterWork {
  const title = 'Reshard';
  const own = { title, operation: 'reshard', progress };
  return { own, all: [{ title, operation: 'reshard' }], unfinished: [] };
}

const written = { title: 'Reshard 9 slots', operation: 'reshard', request: {} };
const at = { addresses: ['127.0.0.1:7000'] };
const unfinished: Unfinished = {
  ...{ id: 'journal', end: 'failed', steps: { done: 1, of: 2 }, begunAt: 0, lastAt: 0, text: '' },
  ...{ ...written, doneSteps: new Set([0]) },
  cluster: at,
  plan: { ...written, ref: at, steps: [], warnings: [], losses: [] },
};

const healthy = snapshotOf(ids.map((id) => source(id)));

test('context, namespace, cluster, shards with master, replicas and slots; then all slots', () => {
  const index = indexRows(rowsOf(stateWith([healthy])));
  const labels = (id: string): readonly string[] => index.get(id)?.row.children.map((row) => row.label) ?? [];
  assert.deepEqual(labels('context/test'), ['shop']);
  assert.deepEqual(labels('context/test/shop'), ['cart']);
  assert.deepEqual(labels('kubernetes/test/shop/cart'), ['Shard 1', 'Shard 2', 'Shard 3', 'Slots']);
  assert.deepEqual(labels('kubernetes/test/shop/cart/shards/1'), ['cart-0', 'cart-3', '0-5460']);
  assert.deepEqual(labels('kubernetes/test/shop/cart/slots'), ['0-5460', '5461-10922', '10923-16383']);
  assert.equal(
    index.get('kubernetes/test/shop/cart/shards/2/m1')?.row.description,
    'master · 5,462 slots · 100 keys · 1.9 MiB',
  );
});

test('nodes are listed once, by shard, by role or by the machine that they run on', () => {
  const spread = snapshotOf(
    ids.map((id, index) => ({
      ...source(id),
      pod: pod(`cart-${index}`, `10.0.0.${index}`, { worker: `worker-${index % 3}` }),
    })),
  );
  const labels = (grouping: TreeState['grouping'], row: string): readonly string[] => {
    const index = indexRows(rowsOf({ ...stateWith([spread]), grouping }));
    return (index.get(`kubernetes/test/shop/cart${row}`)?.row.children ?? []).map(({ label, description }) =>
      [label, description].join(': '),
    );
  };
  assert.deepEqual(labels('roles', ''), ['Masters: 3', 'Replicas: 3', 'Slots: 16,384 covered']);
  assert.deepEqual(
    labels('roles', '/replicas').map((text) => text.split(':')[0]),
    ['cart-3', 'cart-4', 'cart-5'],
  );
  // m0 and its only replica r0 share worker-0, and so on.
  assert.deepEqual(labels('machines', '').slice(0, 3), [
    'worker-0: its failure stops 5,461 slots · 1 master, 1 replica',
    'worker-1: its failure stops 5,462 slots · 1 master, 1 replica',
    'worker-2: its failure stops 5,461 slots · 1 master, 1 replica',
  ]);
  assert.deepEqual(
    labels('machines', '/machines/worker-1').map((text) => text.split(':')[0]),
    ['cart-1', 'cart-4'],
  );
});

test('ids are unique paths although a node stands in several places', () => {
  const all = rowsOf(stateWith([healthy])).flatMap(function flat(row: Row): string[] {
    return [row.id, ...row.children.flatMap(flat)];
  });
  assert.equal(new Set(all).size, all.length);
});

test('a key count that changes redraws the rows of that node and no other', () => {
  const after = snapshotOf(ids.map((id) => source(id, id === 'm1' ? { keys: 101 } : {})));
  const changed = changedRows(indexRows(rowsOf(stateWith([healthy]))), indexRows(rowsOf(stateWith([after]))));
  const cluster = 'kubernetes/test/shop/cart';
  assert.deepEqual(changed, [`${cluster}/shards/2/m1`]);
});

test('nothing changed redraws nothing; a row that comes or goes redraws its parent', () => {
  const before = indexRows(rowsOf(stateWith([healthy])));
  assert.deepEqual(changedRows(before, indexRows(rowsOf(stateWith([healthy])))), []);
  const broken = snapshotOf([silent('m0'), ...ids.slice(1).map((id) => source(id))]);
  assert.deepEqual(changedRows(before, indexRows(rowsOf(stateWith([broken])))), [
    'kubernetes/test/shop/cart',
  ]);
});

test('a broken cluster shows its problems first, with icon and words', () => {
  const broken = snapshotOf([
    silent('m0'),
    ...ids.slice(1).map((id) => source(id, { clusterState: 'fail' })),
  ]);
  const cluster = indexRows(rowsOf(stateWith([broken]))).get('kubernetes/test/shop/cart')?.row;
  assert.equal(cluster?.description, 'broken · 3 shards · 5 of 6 nodes answered');
  assert.equal(cluster.icon.name, 'error');
  assert.equal(cluster.children[0]?.label, 'Cluster down');
  assert.match(cluster.children[0].description ?? '', /report that the cluster is down/);
  const node = cluster.children.find((row) => row.label === 'Shard 1')?.children[0];
  assert.match(node?.description ?? '', /^unreachable · master/);
});

test('a replica says what it has copied, or that it has no link', () => {
  const described = (syncing: boolean): string | undefined => {
    const replication = { role: 'replica', offset: 0, linkUp: false, syncing, replicas: [] } as const;
    const r0 = source('r0', {
      replication: { ...replication, ...(syncing ? { receivedBytes: 2.5 * 1024 * 1024 } : {}) },
    });
    const snapshot = snapshotOf(ids.map((id) => (id === 'r0' ? r0 : source(id))));
    const row = indexRows(rowsOf(stateWith([snapshot]))).get('kubernetes/test/shop/cart/shards/1/r0');
    return row?.row.description;
  };
  assert.match(described(true) ?? '', /^copying from its master, 2\.5 MiB so far · replica/);
  assert.match(described(false) ?? '', /^link to master down · replica/);
});

test('a promoted replica stays in its shard row', () => {
  const promoted = source('r0', { self: line('r0', { flags: ['master'], slots: [[0, 5460]] }) });
  const demoted = source('m0', { self: line('m0', { flags: ['slave'], masterId: 'r0', slots: [] }) });
  const after = snapshotOf([promoted, demoted, ...['m1', 'm2', 'r1', 'r2'].map((id) => source(id))]);
  const rows = indexRows(rowsOf(stateWith([after])));
  assert.deepEqual(
    rows.get('kubernetes/test/shop/cart/shards/1')?.row.children.map((row) => row.label),
    ['cart-3', 'cart-0', '0-5460'],
  );
});

test('a context that cannot be read says why on its own row', () => {
  const problem = new UserError('sign-in-needed', 'The token of context test has expired.');
  const rows = rowsOf({
    ...stateWith([]),
    contexts: [
      {
        name: 'test',
        status: 'failed',
        scopes: [{ context: 'test', namespace: undefined, read: true, clusters: [], problem }],
        problem,
      },
    ],
  });
  assert.deepEqual(
    rows[0]?.children.map((row) => [row.label, row.click?.command]),
    [['The token of context test has expired.', 'redisCluster.refresh']],
  );
});

test('a context without clusters offers to deploy one', () => {
  assert.deepEqual(
    rowsOf(stateWith([]))[0]?.children.map((row) => row.click?.command),
    ['redisCluster.deploy'],
  );
});

test('menus match facets that rows have, and only commands that exist', () => {
  const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    contributes: {
      commands: { command: string }[];
      menus: Record<string, { command: string; when: string }[]>;
    };
  };
  const commands = new Set(manifest.contributes.commands.map((one) => one.command));
  const sandbox = { ref: { addresses: ['127.0.0.1:7000'] }, name: 'Sandbox', sandbox: true };
  const byAddress = { ...sandbox, ref: { addresses: ['127.0.0.1:7001'] }, sandbox: false };
  const hidden = { ...byAddress, ref: { addresses: ['127.0.0.1:30000'] } };
  const withFailed = {
    ...healthy,
    nodes: healthy.nodes.map((node) => (node.id === 'r2' ? { ...node, health: 'failed' as const } : node)),
  };
  const alone = { ...view('m0'), keys: 0, self: line('m0', { slots: [] }), others: [] };
  const ended = { ...pod('new-1', '10.0.0.9'), phase: 'Failed' };
  const unformed = {
    ...healthy,
    loosePods: [ended],
    nodes: [{ ...line('m0', { slots: [] }), role: 'master', health: 'ok', view: alone }],
  } as const;
  const locked = (id: string): ReturnType<typeof silent> => ({
    ...silent(id),
    reading: { tried: true, failure: { reason: 'password', message: 'Redis requires a password.' } },
  });
  const unread = snapshotOf(ids.map(locked));
  const rows = rowsOf({
    ...stateWith([
      withFailed,
      { ...unformed, ref: { context: 'test', namespace: 'shop', name: 'new' } },
      { ...unread, ref: { context: 'test', namespace: 'shop', name: 'locked' } },
    ]),
    addressClusters: [sandbox, byAddress, hidden].map((one) => ({
      source: one,
      snapshot: { ...(one === hidden ? behindNat() : healthy), ref: one.ref },
    })),
    work: ({ ref }) => ({
      ...('addresses' in ref ? { all: [] } : workOf({ text: 'moving' })),
      unfinished: [unfinished],
      isSignedIn: true,
    }),
  });
  const texts = [...indexRows(rows).values()].map(({ row }) => `${row.label} ${row.description ?? ''}`);
  assert.ok(texts.includes('cart no cluster formed · Reshard · 1 server'), texts.join('\n'));
  const facets = [...indexRows(rows).values()].map(({ row }) => row.facets);
  for (const entry of Object.values(manifest.contributes.menus).flat()) {
    assert.ok(commands.has(entry.command), entry.command);
    const [, pattern] = /viewItem =~ \/(.*)\/$/.exec(entry.when) ?? [];
    if (pattern !== undefined)
      assert.ok(
        facets.some((one) => new RegExp(pattern).test(one)),
        entry.when,
      );
    const [, exact] = /viewItem == (\w+)$/.exec(entry.when) ?? [];
    if (exact !== undefined) assert.ok(facets.includes(exact), entry.when);
  }
});

test('the row of an operation counts, and says first why nothing goes on where that is so', () => {
  const rowWith = (progress: Progress): Row | undefined => {
    const state = { ...stateWith([healthy]), work: () => workOf(progress) };
    return [...indexRows(rowsOf(state)).values()].find(({ row }) => row.facets === 'operation')?.row;
  };
  const counted = { text: 'Move from a to b', done: 1200, total: 5461, unit: 'slots' };
  const going = rowWith(counted);
  assert.deepEqual(
    [going?.label, going?.description, going?.icon.name],
    ['1,200 of 5,461 slots · Reshard', 'Move from a to b', 'sync~spin'],
  );
  const paused = rowWith({ ...counted, paused: 'Paused: latency is 30 ms.' });
  assert.deepEqual(
    [paused?.label, paused?.description, paused?.icon.name],
    ['Paused · 1,200 of 5,461 slots · Reshard', 'Paused: latency is 30 ms.', 'debug-pause'],
  );
  assert.match(paused?.tooltip?.join('\n') ?? '', /Paused: latency is 30 ms\.\nMove from a to b/);
});

test('a collapsed row says first what runs on it, how far it is and by whom', () => {
  const rowWith = (work: ClusterWork): Row | undefined =>
    indexRows(rowsOf({ ...stateWith([healthy]), work: () => work })).get('kubernetes/test/shop/cart')?.row;
  const own = rowWith(workOf({ text: 'Move', done: 2350, total: 5461, unit: 'slots' }));
  assert.equal(own?.description, '43% Reshard · healthy · 3 shards · 6 nodes');
  assert.deepEqual(own.icon, { name: 'sync~spin' });
  assert.ok(own.facets.split(' ').includes('running'));
  const paused = rowWith(workOf({ text: 'Move', done: 0, total: 10, paused: 'Clients wait.' }));
  assert.equal(paused?.description, '0% Reshard (paused) · healthy · 3 shards · 6 nodes');
  assert.equal(paused.icon.name, 'debug-pause');
  const theirs = { title: 'Upgrade cart', operation: 'upgrade', holder: 'ann on ci-3 (process 7)' };
  const colleague = rowWith({ all: [theirs], unfinished: [] });
  assert.equal(
    colleague?.description,
    'Upgrade Image or Configuration by ann on ci-3 · healthy · 3 shards · 6 nodes',
  );
  assert.ok(!colleague.facets.includes('running'), 'only its own window cancels it');
  assert.equal(colleague.children[0]?.description, 'by ann on ci-3 (process 7)');
  const broken = indexRows(
    rowsOf({
      ...stateWith([snapshotOf(ids.map((id) => (id === 'm0' ? silent(id) : source(id))))]),
      work: () => workOf({ text: 'Move', done: 1, total: 2 }),
    }),
  ).get('kubernetes/test/shop/cart')?.row;
  assert.match(broken?.description ?? '', /^broken · 50% Reshard · 3 shards/);
  assert.equal(broken?.icon.name, 'error', 'what runs hides no fault');
  assert.equal(rowWith({ all: [{ ...theirs, ended: true }], unfinished: [] })?.icon.name, 'pass');
});

test('commands that change a cluster are called what their titles say', () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
    contributes: { commands: { command: string; title: string }[] };
  };
  const names = manifest.contributes.commands.flatMap(({ command, title }) => {
    const name = commandName(command.replace('redisCluster.', ''));
    return name === undefined ? [] : [[name, title.replace('…', '')]];
  });
  assert.equal(names.length, 24);
  for (const [name, title] of names) assert.equal(name, title);
});

test('the rows of a cluster that was not read anew stay the very same', () => {
  const kept = new ClusterRows();
  const other = { ...healthy, ref: { context: 'test', namespace: 'shop', name: 'stock' }, name: 'stock' };
  const rowIn = (roots: readonly Row[], id: string): Row | undefined => indexRows(roots).get(id)?.row;
  const before = rowsOf(stateWith([healthy, other]), kept);
  const after = rowsOf(stateWith([{ ...healthy, takenAt: 1 }, other]), kept);
  const [cart, stock] = ['cart', 'stock'].map((name) => `kubernetes/test/shop/${name}`);
  assert.ok(cart !== undefined && stock !== undefined);
  assert.equal(rowIn(before, stock), rowIn(after, stock));
  assert.notEqual(rowIn(before, cart), rowIn(after, cart));
  const busy = { ...stateWith([healthy, other]), work: () => workOf({ text: 'moving' }) };
  assert.notEqual(rowIn(rowsOf(busy, kept), stock), rowIn(after, stock), 'an operation shows on its row');
});

test('an operation that was not finished is a row, but not while another one runs', () => {
  const rowsWith = (work: ClusterWork): readonly Row[] =>
    [...indexRows(rowsOf({ ...stateWith([healthy]), work: () => work })).values()].map(({ row }) => row);
  const isUnfinished = ({ facets }: Row): boolean => facets === 'unfinished';
  const row = rowsWith({ all: [], unfinished: [unfinished] }).find(isUnfinished);
  assert.equal(row?.label, 'Not finished: Reshard 9 slots');
  assert.match(row.description ?? '', /^1 of 2 steps done · Thu, Jan 1/);
  assert.deepEqual(row.target, { kind: 'unfinished', ref: healthy.ref, journal: 'journal' });
  assert.ok(!rowsWith({ ...workOf({ text: '' }), unfinished: [unfinished] }).some(isUnfinished));
});
