import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { planReplicate } from '../../../src/operations/replicate.ts';
import type { Source } from '../../../src/inventory/source.ts';
import { ids, line, silent, snapshotOf, source } from '../sample.ts';

const whole = snapshotOf(ids.map((id) => source(id)));

function at(id: string, worker: string, masterId?: string): Source {
  const one = source(id, masterId === undefined ? {} : { self: line(id, { masterId }) });
  return one.pod === undefined ? one : { ...one, pod: { ...one.pod, worker } };
}

function moves(sources: readonly Source[]): readonly string[] {
  const plan = planReplicate(snapshotOf(sources), { spread: true });
  return plan.steps.flatMap((step) => (step.kind === 'replicate' ? [`${step.node}>${step.master}`] : []));
}

describe('replicas', () => {
  test('one moves to another master; a shard that is left without is named', () => {
    const plan = planReplicate(whole, { node: 'r0', master: 'm1' });
    assert.equal(plan.steps[0]?.kind, 'replicate');
    assert.match(plan.warnings.join(' '), /cart-0 will have no replica/);
  });

  test('what cannot be is refused', () => {
    assert.throws(() => planReplicate(whole, { node: 'r0', master: 'm0' }), /is already a replica of cart-0/);
    assert.throws(() => planReplicate(whole, { node: 'r0', master: 'r1' }), /is a replica itself/);
    assert.throws(() => planReplicate(whole, { node: 'm0', master: 'm1' }), /is a master with hash slots/);
    assert.throws(() => planReplicate(whole, { node: 'm0', master: 'm0' }), /cannot replicate itself/);
  });

  test('the only copy of a shard whose master does not answer is not dropped', () => {
    const snapshot = snapshotOf(ids.map((id) => (id === 'm0' ? silent(id) : source(id))));
    assert.throws(() => planReplicate(snapshot, { node: 'r0', master: 'm1' }), /may hold the only copy/);
  });

  test('an even spread is left alone', () => {
    const sources = [
      at('m0', 'a'),
      at('m1', 'b'),
      at('m2', 'c'),
      at('r0', 'b'),
      at('r1', 'c'),
      at('r2', 'a'),
    ];
    assert.throws(() => moves(sources), /already spread evenly/);
  });

  test('a master with two gives one to the master with none', () => {
    const sources = [
      at('m0', 'a'),
      at('m1', 'b'),
      at('m2', 'c'),
      at('r0', 'b'),
      at('r1', 'c'),
      at('r2', 'b', 'm1'),
    ];
    assert.deepEqual(moves(sources), ['r2>m2']);
  });

  test('replicas beside their masters change places', () => {
    const sources = [
      at('m0', 'a'),
      at('m1', 'b'),
      at('m2', 'c'),
      at('r0', 'a'),
      at('r1', 'b'),
      at('r2', 'd'),
    ];
    assert.deepEqual(moves(sources), ['r0>m1', 'r1>m0']);
  });
});
