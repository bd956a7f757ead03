import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from '../../../src/checks/check.ts';
import { isSettling } from '../../../src/checks/mutual.ts';
import type { Finding } from '../../../src/model/finding.ts';
import { History } from '../../../src/model/history.ts';
import type { KnownNode } from '../../../src/model/nodeView.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { needIntroduction } from '../../../src/operations/repair/introductions.ts';
import { ids, snapshotOf, source, view } from '../sample.ts';

/** A healthy cluster in which some members list another one otherwise, or not at all. */
function seenBy(
  viewers: readonly string[],
  subject: string,
  line: Partial<KnownNode> | undefined,
): ClusterSnapshot {
  const others = (id: string): readonly KnownNode[] =>
    view(id).others.flatMap((other) => {
      if (other.id !== subject || !viewers.includes(id)) return [other];
      return line === undefined ? [] : [{ ...other, ...line }];
    });
  const snapshot = snapshotOf(ids.map((id) => source(id, { others: others(id) })));
  return { ...snapshot, history: new History() };
}

function lasting(snapshot: ClusterSnapshot, ms = 20_000): Finding | undefined {
  check(snapshot);
  return check({ ...snapshot, takenAt: snapshot.takenAt + ms }).find(({ rule }) => rule === 'mutual');
}

test('a member that most masters do not list is an error, one that a single one does not list a warning', () => {
  const most = lasting(seenBy(['m0', 'm1'], 'r2', undefined));
  assert.deepEqual(
    [most?.severity, most?.message, most?.nodeIds],
    ['error', 'cart-5 is not known to all other nodes.', ['r2']],
  );
  assert.deepEqual(most?.evidence, ['cart-0 does not list cart-5', 'cart-1 does not list cart-5']);
  assert.equal(lasting(seenBy(['r0'], 'm1', undefined))?.severity, 'warning');
});

test('what gossip puts right by itself is not found before it had the time', () => {
  const snapshot = seenBy(['m0'], 'r2', undefined);
  assert.deepEqual(check(snapshot), []);
  assert.ok(isSettling(snapshot));
  assert.equal(check({ ...snapshot, takenAt: 4_000 }).length, 0);
  const late = { ...snapshot, takenAt: 5_000 };
  assert.equal(check(late).length, 1);
  assert.ok(!isSettling(late));
  const whole = { ...snapshot, nodes: snapshotOf(ids.map((id) => source(id))).nodes, takenAt: 6_000 };
  assert.deepEqual(check(whole), []);
  assert.deepEqual(check({ ...snapshot, takenAt: 7_000 }), [], 'it begins again');
});

test('nodes that have all lost each other find nobody by waiting: that is found within seconds', () => {
  const lost = (id: string): readonly KnownNode[] =>
    view(id).others.map((line) => ({ ...line, host: '10.9.9.9', linkState: 'disconnected' }));
  const snapshot: ClusterSnapshot = {
    ...snapshotOf(ids.map((id) => source(id, { others: lost(id), clusterState: 'fail' }))),
    history: new History(),
    takenAt: 0,
  };
  const rules = (takenAt: number): readonly (string | undefined)[] =>
    check({ ...snapshot, takenAt }).flatMap(({ rule, remedy }) => (rule === 'mutual' ? [remedy] : []));
  assert.deepEqual(rules(0), []);
  assert.ok(isSettling(snapshot));
  assert.match(rules(3_000)[0] ?? '', /“Heal Cluster…” introduces the nodes to each other again/);
});

test('wrong roles, lost addresses and lost links are named, and heal is offered exactly where it does something', () => {
  const cases: readonly (readonly [Partial<KnownNode>, RegExp, boolean])[] = [
    [
      { flags: ['master'], masterId: 'm0' },
      /cart-0 lists cart-5 in another role: it is a replica of cart-2/,
      false,
    ],
    [{ host: '', flags: ['slave', 'noaddr'] }, /cart-0 has no address of cart-5/, true],
    [{ linkState: 'disconnected' }, /cart-0 has no link to cart-5/, true],
    [{ flags: ['slave', 'fail'] }, /cart-0 marks as failed cart-5/, false],
  ];
  for (const [line, evidence, heals] of cases) {
    const snapshot = seenBy(['m0'], 'r2', line);
    const found = lasting(snapshot);
    assert.match(found?.evidence.join('\n') ?? '', evidence);
    assert.equal((found?.remedy ?? '').includes('Heal'), heals, found?.remedy);
    const where = { node: 'r2', host: '10.0.1.2', port: 6379, busPort: 16379 };
    assert.equal(needIntroduction(snapshot, where).length > 0, heals);
  }
});

test('200 nodes that list each other are compared in milliseconds, and not again while they say the same', () => {
  const lines = Array.from({ length: 200 }, (_, index): KnownNode => ({
    ...{ id: `n${index}`, host: '10.0.0.1', port: 6000 + index, busPort: 16_000 + index, flags: ['master'] },
    ...{ configEpoch: index, linkState: 'connected', slots: [], migrating: [], importing: [] },
  }));
  const sources = lines.map((self) => ({
    address: `10.0.0.1:${self.port}`,
    reading: {
      tried: true,
      lastId: self.id,
      view: { ...view('m0'), self, others: lines.filter((line) => line !== self) },
    },
  }));
  const snapshot = snapshotOf(sources);
  const timed = (): number => {
    const started = performance.now();
    assert.equal(isSettling(snapshot), false);
    return performance.now() - started;
  };
  const first = timed();
  const again = Math.min(timed(), timed(), timed());
  assert.ok(first < 500 && again < 5, `first ${first} ms, again ${again} ms`);
});
