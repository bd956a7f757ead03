import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { planPromote } from '../../../src/operations/promote.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { ids, line, pod, silent, snapshotOf, source } from '../sample.ts';

const whole = snapshotOf(ids.map((id) => source(id)));

/** The masters with these numbers have failed, and their pods are gone or as given. */
function without(
  numbers: readonly number[],
  left: 'gone' | 'silent' | 'ended',
  names: 'named' | 'nameless' = 'named',
): ClusterSnapshot {
  const dead = numbers.map((number) => `m${number}`);
  const others = ids.map((id) =>
    line(id, {
      ...(dead.includes(id) ? { flags: ['master', 'fail'], linkState: 'disconnected' as const } : {}),
      ...(names === 'named' ? { hostname: `cart-${ids.indexOf(id)}.cart` } : {}),
    }),
  );
  const alive = ids
    .filter((id) => !dead.includes(id))
    .map((id) =>
      source(id, {
        others: others.filter((one) => one.id !== id),
        clusterState: 'fail',
        ...(dead.includes(`m${id.slice(1)}`)
          ? { replication: { role: 'replica', offset: 900, linkUp: false, syncing: false, replicas: [] } }
          : {}),
      }),
    );
  const bodies = dead.map((id) => {
    const { pod: facts, ...rest } = silent(id);
    return { ...rest, pod: { ...(facts ?? pod(id, '')), ...(left === 'ended' ? { ended: true } : {}) } };
  });
  return snapshotOf(left === 'gone' ? alive : [...alive, ...bodies]);
}

describe('promoting a replica', () => {
  test('its master hands over, and nothing is lost', () => {
    const plan = planPromote(whole, { node: 'r1' });
    assert.deepEqual(
      plan.steps.map(({ kind }) => kind),
      ['promote'],
    );
    assert.deepEqual(plan.losses, []);
    assert.match(plan.steps[0]?.text ?? '', /cart-1 hands 5,462 slots over to cart-4/);
  });

  test('a master, a stranger and another word are refused', () => {
    assert.throws(() => planPromote(whole, { node: 'm1' }), /is a master already/);
    assert.throws(() => planPromote(whole, { node: 'x9' }), /has no node "x9".*Nothing was changed/);
    assert.throws(() => planPromote(whole, { node: 'r1', how: 'hard' as 'force' }), /"how" is/);
  });

  test('a replica without a link is not handed anything', () => {
    const replication = { role: 'replica', offset: 0, linkUp: false, syncing: true, replicas: [] } as const;
    const snapshot = snapshotOf(ids.map((id) => source(id, id === 'r1' ? { replication } : {})));
    assert.throws(() => planPromote(snapshot, { node: 'r1' }), /has no link to its master cart-1/);
  });

  test('from a master that is well nothing is taken by force', () => {
    assert.throws(() => planPromote(whole, { node: 'r1', how: 'force' }), /answers and is in touch/);
    assert.throws(() => planPromote(whole, { node: 'r1', how: 'takeover' }), /answers and is in touch/);
  });

  test('with one master gone a replica is elected by force; unreplicated writes are named as lost', () => {
    const snapshot = without([1], 'silent');
    assert.throws(() => planPromote(snapshot, { node: 'r1' }), /how "force"/);
    const plan = planPromote(snapshot, { node: 'r1', how: 'force' });
    assert.match(plan.losses.join(' '), /had not passed on to cart-4/);
    assert.throws(() => planPromote(snapshot, { node: 'r1', how: 'takeover' }), /Most masters answer/);
  });

  test('with most masters gone nobody can be elected', () => {
    const snapshot = without([0, 1], 'silent');
    assert.throws(() => planPromote(snapshot, { node: 'r1', how: 'force' }), /2 of 3 masters do not answer/);
  });

  test('taking over needs proof that the masters are dead: unreachable is not dead', () => {
    assert.throws(
      () => planPromote(without([0, 1], 'silent'), { node: 'r1', how: 'takeover' }),
      /Nothing proves that cart-0, cart-1 ended/,
    );
    for (const left of ['gone', 'ended'] as const) {
      const plan = planPromote(without([0, 1], left), { node: 'r1', how: 'takeover' });
      assert.match(
        plan.warnings.join(' '),
        left === 'gone' ? /pod cart-0 is gone/ : /container redis of pod cart-0 has ended/,
      );
    }
    assert.throws(
      () => planPromote(without([0, 1], 'gone', 'nameless'), { node: 'r1', how: 'takeover' }),
      /Nothing proves/,
    );
    assert.throws(
      () =>
        planPromote({ ...without([0, 1], 'gone'), apiProblem: 'no answer' }, { node: 'r1', how: 'takeover' }),
      /Nothing proves/,
    );
    assert.throws(
      () =>
        planPromote(
          { ...without([0, 1], 'gone'), ref: { addresses: ['10.0.0.1:6379'] } },
          { node: 'r1', how: 'takeover' },
        ),
      /Nothing proves/,
    );
  });
});
