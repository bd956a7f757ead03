import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../../src/model/errors.ts';
import { refuseImpostor } from '../../../src/operations/refusals/refuseImpostor.ts';
import { stepKinds } from '../../../src/operations/steps/index.ts';
import type { StepPorts } from '../../../src/operations/steps/ports.ts';
import { ids, snapshotOf, source, view } from '../sample.ts';

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
      void stepKinds.moveSlots.check(
        { kind: 'moveSlots', from: 'm0', to: 'm1', slots: [[0, 9]], text },
        snapshot,
        ports,
      ),
    () => stepKinds.replicate.check({ kind: 'replicate', node: 'r0', master: 'm1', text }, snapshot, ports),
    () => stepKinds.meet.check({ kind: 'meet', node: 'm1', ...at, text }, snapshot, ports),
  ]) {
    assert.throws(check, message);
  }
  void stepKinds.moveSlots.check(
    { kind: 'moveSlots', from: 'm1', to: 'm0', slots: [[5461, 5470]], text },
    snapshot,
    ports,
  );
});

test('a node is asked for its id immediately before others meet it, and only then is introduced', async () => {
  const apart = snapshotOf(
    ids.map((id) => {
      const others = view(id).others.filter((one) => one.id !== 'r1');
      return id === 'r1' ? source(id) : source(id, { others });
    }),
  );
  const met: string[] = [];
  const meet = async (answers: string | UserError, where = '10.0.1.1'): Promise<void> => {
    const stop = new AbortController();
    const ports = {
      ...{ snapshot: apart, signal: stop.signal, report: () => undefined, now: () => 0 },
      delay: () => {
        stop.abort();
        return Promise.resolve();
      },
      dialer: {
        dial: (id: string) =>
          id === 'r1' && answers instanceof UserError
            ? Promise.reject(answers)
            : Promise.resolve({ id, close: () => undefined }),
      },
      redis: {
        myId: ({ id }: { id: string }) => Promise.resolve(id === 'r1' ? answers : id),
        meet: ({ id }: { id: string }) => {
          met.push(id);
          return Promise.resolve();
        },
      },
    };
    const step = { kind: 'meet', node: 'r1', host: where, port: 6379, busPort: 16_379, text: '' } as const;
    await stepKinds.meet.act(step, ports as unknown as StepPorts);
  };
  await assert.rejects(meet('b1'), /Node b1 answers in the place of cart-4/);
  await assert.rejects(meet('r1', '10.0.9.9'), /cart-4 is at 10\.0\.1\.1:6379 by now, not at 10\.0\.9\.9/);
  await meet(new UserError('unreachable', 'it does not answer'));
  assert.deepEqual(met, []);
  await meet('r1');
  assert.deepEqual(met, ['m0', 'm1', 'm2', 'r0', 'r2']);
});
