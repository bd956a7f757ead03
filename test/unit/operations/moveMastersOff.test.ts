import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { impactText, survivability } from '../../../src/checks/survivability.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { planMoveMastersOff } from '../../../src/operations/moveMastersOff.ts';
import { ids, snapshotOf, source } from '../sample.ts';

/** The whole cluster, each node on the worker that stands at its place: m0 m1 m2 r0 r1 r2. */
function on(...workers: readonly string[]): ClusterSnapshot {
  return snapshotOf(
    ids.map((id, index) => {
      const one = source(id);
      return one.pod === undefined ? one : { ...one, pod: { ...one.pod, worker: workers[index] ?? '' } };
    }),
  );
}

describe('what is lost if a worker dies now', () => {
  test('nothing, where every shard has a copy elsewhere', () => {
    const [a] = survivability(on('a', 'b', 'c', 'b', 'c', 'a'));
    assert.ok(a);
    assert.deepEqual(a.failovers, ['cart-0']);
    assert.deepEqual(a.lost, []);
    assert.deepEqual(a.unprotected, ['cart-2']);
  });

  test('the slots of a shard whose copies are all there', () => {
    const [a] = survivability(on('a', 'b', 'c', 'a', 'c', 'b'));
    assert.ok(a);
    assert.deepEqual(a.lost, ['cart-0']);
    assert.match(impactText(a), /If Kubernetes node a failed now: 5,461 slots of cart-0 would not be served/);
  });

  test('everything there, where most masters are: nobody could be elected', () => {
    const [a] = survivability(on('a', 'a', 'b', 'b', 'b', 'a'));
    assert.ok(a);
    assert.equal(a.electsNobody, true);
    assert.deepEqual(a.lost, ['cart-0', 'cart-1']);
  });

  test('a zone is as many workers as it has', () => {
    const zones = new Map([
      ['a', 'east'],
      ['b', 'east'],
      ['c', 'west'],
    ]);
    const fates = survivability(on('a', 'b', 'c', 'b', 'c', 'a'), zones);
    const east = fates.find(({ place }) => place.kind === 'zone' && place.name === 'east');
    assert.deepEqual(east?.lost, ['cart-0', 'cart-1']);
    assert.equal(east.electsNobody, true);
  });
});

describe('moving masters off a worker', () => {
  test('each hands over to a replica elsewhere; what would be lost is said', () => {
    const plan = planMoveMastersOff(on('a', 'b', 'c', 'b', 'c', 'a'), { worker: 'a' });
    assert.deepEqual(
      plan.steps.map((step) => (step.kind === 'promote' ? [step.node, step.how] : [])),
      [['r0', 'handOver']],
    );
    assert.match(plan.warnings.join(' '), /If Kubernetes node b failed now/);
  });

  test('one without a replica elsewhere stays, and is named', () => {
    const plan = planMoveMastersOff(on('a', 'a', 'c', 'b', 'a', 'b'), { worker: 'a' });
    assert.equal(plan.steps.length, 1);
    assert.match(plan.warnings.join(' '), /cart-1 stays/);
    assert.throws(
      () => planMoveMastersOff(on('a', 'b', 'c', 'a', 'c', 'a'), { worker: 'a' }),
      /no in-sync replica on another Kubernetes node/,
    );
  });

  test('a worker without masters, or that nobody knows, is refused', () => {
    const snapshot = on('a', 'b', 'c', 'd', 'c', 'a');
    assert.throws(
      () => planMoveMastersOff(snapshot, { worker: 'd' }),
      /No master with slots runs on Kubernetes node d/,
    );
    assert.throws(() => planMoveMastersOff(snapshot, { worker: 'x' }), /runs on a, b, c, d/);
  });
});
