import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refuseImpostor } from '../../../src/operations/refuseImpostor.ts';
import { stepRuns } from '../../../src/operations/steps/index.ts';
import { ids, snapshotOf, source } from '../sample.ts';

const snapshot = {
  ...snapshotOf(ids.map((id) => source(id))),
  impostors: [{ address: '10.0.0.1:6379', listedId: 'm1', answeringId: 'b1' }],
};

test('nothing is sent to a node at whose address another one answers', () => {
  refuseImpostor(snapshot, 'm0');
  const message = /reach cart-1 at 10\.0\.0\.1:6379, but node b1 answers there.*Nothing was changed\.$/;
  const ports = {} as never;
  const text = '';
  const at = { host: '10.0.0.1', port: 6379, busPort: 16_379 };
  for (const check of [
    () =>
      void stepRuns.moveSlots?.check(
        { kind: 'moveSlots', from: 'm0', to: 'm1', slots: [[0, 9]], text },
        snapshot,
        ports,
      ),
    () => stepRuns.replicate?.check({ kind: 'replicate', node: 'r0', master: 'm1', text }, snapshot, ports),
    () => stepRuns.meet?.check({ kind: 'meet', node: 'm1', ...at, text }, snapshot, ports),
  ]) {
    assert.throws(check, message);
  }
  void stepRuns.moveSlots?.check(
    { kind: 'moveSlots', from: 'm1', to: 'm0', slots: [[5461, 5470]], text },
    snapshot,
    ports,
  );
});
