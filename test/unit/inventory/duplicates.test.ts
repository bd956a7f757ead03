import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check, isSound } from '../../../src/checks/check.ts';
import { membersAt, type AddressedSource } from '../../../src/inventory/addressMembers.ts';
import { mergeViews } from '../../../src/inventory/mergeViews.ts';
import type { Source } from '../../../src/inventory/source.ts';
import { planPromote } from '../../../src/operations/promote.ts';
import { ids, line, pod, snapshotOf, source, view } from '../sample.ts';

/** As `source`, of a server that was started as that often. */
function started(id: string, runId: string, changes: Parameters<typeof source>[1] = {}): Source {
  return source(id, { runId, ...changes });
}

const whole = ids.map((id) => started(id, `run of ${id}`));

test('a pod that was started from a copy of a member’s volume is no member, and is named', () => {
  const copy: Source = { ...started('m0', 'run of the copy'), pod: pod('copy-0', '10.0.9.9') };
  for (const sources of [
    [...whole, copy],
    [copy, ...whole],
  ]) {
    const snapshot = snapshotOf(sources);
    assert.deepEqual(snapshot.duplicateIds, [{ id: 'm0', servers: ['cart-0', 'copy-0'] }]);
    assert.deepEqual(
      snapshot.nodes.map(({ id, pod: own }) => [id, own?.name]),
      ids.map((id, index) => [id, `cart-${index}`]),
    );
    const findings = check(snapshot);
    assert.equal(findings[0]?.message, '2 servers run with the same node id m0: cart-0, copy-0.');
    assert.equal(isSound(findings), false);
  }
  assert.equal(snapshotOf(whole).duplicateIds, undefined);
});

test('a server at two addresses is one, and two servers with one id at two addresses are two', () => {
  const at = (address: string, runId: string): AddressedSource => ({
    ...{ address, isNamed: true },
    reading: { tried: true, lastId: 'm0', view: view('m0', { runId, others: [] }) },
  });
  const read = (...asked: readonly AddressedSource[]): ReturnType<typeof mergeViews> => {
    const { sources, ...others } = membersAt(asked, new Set());
    return mergeViews(sources, others);
  };
  assert.equal(read(at('10.0.0.0:6379', 'one'), at('tunnel:1', 'one')).duplicateIds, undefined);
  assert.deepEqual(read(at('10.0.0.0:6379', 'one'), at('tunnel:1', 'two')).duplicateIds, [
    { id: 'm0', servers: ['10.0.0.0:6379', 'tunnel:1'] },
  ]);
});

test('two members that announce each other’s address are no healthy cluster', () => {
  const places = new Map([
    ['m0', line('m1').host],
    ['m1', line('m0').host],
  ]);
  const seen = (id: string): ReturnType<typeof line> => {
    const host = places.get(id);
    return line(id, host === undefined ? {} : { host });
  };
  const others = (own: string): readonly ReturnType<typeof line>[] =>
    ids.filter((id) => id !== own).map(seen);
  const swapped = ids.map((id): Source => ({
    ...source(id, { self: seen(id), others: others(id) }),
    pod: pod(`cart-${ids.indexOf(id)}`, line(id).host),
  }));
  const snapshot = snapshotOf(swapped);
  assert.deepEqual(
    snapshot.impostors.map(({ address, listedId, answeringId }) => [address, listedId, answeringId]).sort(),
    [
      ['10.0.0.0:6379', 'm1', 'm0'],
      ['10.0.0.1:6379', 'm0', 'm1'],
    ],
  );
  const findings = check(snapshot);
  assert.equal(isSound(findings), false);
  const [found] = findings;
  assert.equal(found?.message, 'Node m0 answers at 10.0.0.0:6379 instead of member m1.');
  assert.match(found.remedy ?? '', /led to the wrong server\. Correct what it announces/);

  for (const how of ['handOver', 'force'] as const)
    assert.throws(
      () => planPromote(snapshot, { node: 'r0', how }),
      /cart-3 may hold a copy of another server’s/,
    );
  assert.equal(planPromote(snapshot, { node: 'r2' }).steps.length, 1);

  const stale = swapped.map((one) => {
    const own = one.reading.view;
    assert.ok(own);
    const cut = own.others.map((known) => ({ ...known, linkState: 'disconnected' as const }));
    return { ...one, reading: { ...one.reading, view: { ...own, others: cut } } };
  });
  assert.deepEqual(mergeViews(stale).impostors, [], 'addresses from before a restart prove nothing');
});
