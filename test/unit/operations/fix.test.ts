import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KnownNode, NodeView } from '../../../src/model/nodeView.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { formatSlots, unionSlots } from '../../../src/model/slots.ts';
import { planFix } from '../../../src/operations/fix.ts';
import type { StrayKeys } from '../../../src/operations/repair/lostFacts.ts';
import { presumedLost } from '../../../src/operations/repair/lost.ts';
import type { Plan } from '../../../src/operations/plans/plan.ts';
import { stepKinds } from '../../../src/operations/steps/index.ts';
import type { StepPorts } from '../../../src/operations/steps/ports.ts';
import type { Source } from '../../../src/inventory/source.ts';
import { ids, line, pod, silent, snapshotOf, source, view } from '../sample.ts';

const nothing: StrayKeys = new Map();

/** m2 does not answer, and its replica is there or not. */
function without(dead: readonly string[], flags: readonly string[]): ClusterSnapshot {
  const seen = (id: string): readonly KnownNode[] =>
    view(id).others.map((one) =>
      dead.includes(one.id) ? line(one.id, { flags: [...one.flags, ...flags] }) : one,
    );
  return snapshotOf(ids.map((id) => (dead.includes(id) ? silent(id) : source(id, { others: seen(id) }))));
}

/** Slots 0 to 99 that nobody claims. */
function limbo(): ClusterSnapshot {
  const short = line('m0', { slots: [[100, 5460]] });
  return snapshotOf(
    ids.map((id) =>
      source(
        id,
        id === 'm0'
          ? { self: short }
          : { others: view(id).others.map((one) => (one.id === 'm0' ? short : one)) },
      ),
    ),
  );
}

/** All see slots 0 to 99 at m1. */
const takenBy = (id: string): Partial<NodeView> => {
  const own = line('m1', {
    slots: [
      [0, 99],
      [5461, 10_922],
    ],
  });
  return id === 'm1'
    ? { self: own }
    : { others: view(id).others.map((one) => (one.id === 'm1' ? own : one)) };
};

const assigned = (snapshot: ClusterSnapshot, stray: StrayKeys): readonly (readonly [string, string])[] =>
  planFix(snapshot, stray).steps.flatMap((step) =>
    step.kind === 'assignSlots' ? [[step.node, formatSlots(step.slots)] as const] : [],
  );

describe('slots that nobody serves', () => {
  test('a whole cluster has none', () => {
    assert.throws(
      () => planFix(snapshotOf(ids.map((id) => source(id))), nothing),
      /All hash slots .* are served/,
    );
  });

  test('each goes with its neighbours to the master that holds keys there; nothing is lost by that', () => {
    const stray: StrayKeys = new Map([
      [
        'm1',
        new Map([
          [7, 3],
          [8, 1],
        ]),
      ],
      ['m2', new Map([[50, 1]])],
    ]);
    const plan = planFix(limbo(), stray);
    assert.deepEqual(assigned(limbo(), stray), [
      ['m1', '0-49'],
      ['m2', '50-99'],
    ]);
    assert.match(
      plan.steps.find((step) => step.kind === 'assignSlots' && step.node === 'm1')?.text ?? '',
      /holds 4 keys/,
    );
    assert.deepEqual(plan.losses, []);
  });

  test('where nobody holds keys they go to who has the fewest slots', () => {
    assert.deepEqual(assigned(limbo(), nothing), [['m0', '0-99']]);
  });

  test('a slot in which two masters hold keys is left to a person', () => {
    const stray: StrayKeys = new Map([
      ['m1', new Map([[7, 3]])],
      ['m2', new Map([[7, 1]])],
    ]);
    const plan = planFix(limbo(), stray);
    assert.match(plan.warnings.join(), /cart-1 and cart-2 hold keys in slots 7,/);
    assert.ok(!assigned(limbo(), stray).some(([, slots]) => /(?:^|,)7(?:,|$|-)/.test(slots)));
  });

  test('those of a failed master without a replica are given away, which loses what only it has', () => {
    const snapshot = without(['m2', 'r2'], ['fail']);
    const plan = planFix(snapshot, nothing);
    assert.equal(
      formatSlots(unionSlots(...plan.steps.map((step) => (step.kind === 'assignSlots' ? step.slots : [])))),
      '10923-16383',
    );
    assert.equal(plan.steps.length, 2);
    assert.match(plan.losses.join(), /slots 10923-16383 that only cart-2 has/);
  });

  test('all slots of a lost master go to one that serves nothing, such as its pod without its volume', () => {
    const dead = ['m2', 'r2'];
    const back = ['m3', 'm4'].map((id) => line(id, { slots: [], configEpoch: 0 }));
    const seen = (id: string): readonly KnownNode[] => [
      ...view(id).others.map((one) =>
        dead.includes(one.id) ? line(one.id, { flags: [...one.flags, 'fail'] }) : one,
      ),
      ...back,
    ];
    const alive = ids.filter((id) => !dead.includes(id)).map((id) => source(id, { others: seen(id) }));
    const known = ids.filter((id) => !dead.includes(id)).map((id) => line(id));
    const inPods = (keys: number): Source[] =>
      back.map((self, index) => ({
        ...source(self.id, { self, others: [...known, ...back.filter((other) => other !== self)], keys }),
        pod: pod(`cart-${index === 0 ? 2 : 5}`, self.host),
      }));
    const snapshot = snapshotOf([...alive, ...inPods(0)]);
    assert.deepEqual(assigned(snapshot, nothing), [['m3', '10923-16383']]);
    assert.match(planFix(snapshot, nothing).losses.join(), /Keys in slots 10923-16383 that only/);
    assert.deepEqual(
      assigned(snapshotOf([...alive, ...inPods(1)]), nothing).map(([id]) => id),
      ['m3', 'm4'],
    );
  });

  test('those of a master that only this side cannot reach, or whose replica answers, are not', () => {
    assert.throws(() => planFix(without(['m2', 'r2'], []), nothing), /peers have not declared it failed/);
    assert.throws(
      () => planFix(without(['m2'], ['fail']), nothing),
      /cart-5 has a copy; promote that instead/,
    );
  });

  describe('of masters that their peers cannot declare failed', () => {
    const gone = ['m1', 'm2', 'r1', 'r2'];
    const byAddress = (flags: readonly string[], changes: Partial<KnownNode> = {}): ClusterSnapshot => {
      const said = (id: string): readonly KnownNode[] =>
        view(id).others.map((one) =>
          gone.includes(one.id)
            ? { ...one, flags: [...one.flags, ...flags], linkState: 'disconnected', ...changes }
            : one,
        );
      const sources = ['m0', 'r0'].map((id): Source => {
        const { reading } = source(id, { others: said(id), clusterState: 'fail' });
        return { address: `${view(id).self.host}:6379`, reading };
      });
      return { ...snapshotOf(sources), ref: { addresses: ['10.0.0.0:6379'] }, workloads: [] };
    };
    const fixed = (snapshot: ClusterSnapshot, dead: readonly string[]): Plan =>
      planFix(snapshot, nothing, undefined, { dead });

    test('stay theirs without a word: too few masters are left, or their addresses are lost', () => {
      assert.throws(() => fixed(byAddress(['fail?']), []), /too few masters answer.*"dead": \["m1"\]/);
      const lost = byAddress(['noaddr'], { host: '', port: 0 });
      assert.throws(
        () => fixed(lost, []),
        /may run where other nodes cannot find it.*“Heal Cluster…”.*"dead": \["m1"\]/,
      );
      const declaredOnce = byAddress(['fail', 'noaddr'], { host: '', port: 0 });
      assert.throws(() => fixed(declaredOnce, []), /may run where other nodes cannot find it/);
    });

    test('are given away on a person’s word for each that may hold them, which every step carries', () => {
      const snapshot = byAddress(['fail?']);
      const dead = presumedLost(snapshot);
      assert.deepEqual(new Set(dead), new Set(gone));
      const plan = fixed(snapshot, dead);
      assert.ok(plan.steps.length > 0);
      for (const step of plan.steps) assert.deepEqual('dead' in step && step.dead, dead);
      assert.deepEqual(plan.request, { dead });
      assert.match(plan.warnings.join(), /treated as dead because you confirmed it/);
      assert.match(plan.losses.join(), /If one of these still runs somewhere/);
      assert.throws(() => fixed(snapshot, ['m1', 'm2']), /r1.*too few masters answer/);
    });

    test('stay theirs whatever a person says while something contradicts it', () => {
      const connected = byAddress([], { linkState: 'connected' });
      assert.deepEqual(presumedLost(connected), []);
      assert.throws(() => fixed(connected, gone), /other nodes are connected to it/);
      const whole = snapshotOf(ids.map((id) => source(id)));
      assert.throws(() => fixed(whole, gone), /All hash slots .* are served/);
      const waiting = without(['m2', 'r2'], ['fail?']);
      assert.throws(() => fixed(waiting, ['m2', 'r2']), /peers have not declared it failed/);
    });
  });

  test('an unknown node without an address may hold slots that nobody claims', () => {
    const lost = line('m9', {
      host: '',
      port: 0,
      slots: [],
      flags: ['master', 'noaddr'],
      linkState: 'disconnected',
    });
    const snapshot = limbo();
    const sources = snapshot.nodes.flatMap(({ view: said, pod: facts, id }): Source[] =>
      said === undefined || facts === undefined
        ? []
        : [
            {
              pod: facts,
              reading: { tried: true, lastId: id, view: { ...said, others: [...said.others, lost] } },
            },
          ],
    );
    const unknown = { ...snapshotOf(sources), ref: { addresses: ['10.0.0.0:6379'] }, workloads: [] };
    assert.deepEqual(
      unknown.unknownNodes.map(({ id }) => id),
      ['m9'],
    );
    assert.throws(() => planFix(unknown, nothing), /m9.* lost its address, so it may run/);
    assert.equal(planFix(unknown, nothing, undefined, { dead: ['m9'] }).steps.length, 1);
  });

  test('the step is refused when somebody serves the slots by then, and done when all say so', async () => {
    const step = { kind: 'assignSlots', node: 'm1', slots: [[0, 99]], text: '' } as const;
    const run = stepKinds.assignSlots;
    const healthy = snapshotOf(ids.map((id) => source(id)));
    const ports = {} as Parameters<NonNullable<typeof run>['check']>[2];
    assert.ok(run);
    await assert.rejects(async () => run.check(step, healthy, ports), /0-99 are now served/);
    await run.check(step, limbo(), ports);
    assert.equal(await run.isDone(step, limbo(), ports), false);
    assert.equal(await run.isDone({ ...step, node: 'm0', slots: [[0, 5460]] }, healthy, ports), true);
  });

  test('the step takes slots only when its master has heard of the epoch by which others know their last owner', async () => {
    const step = { kind: 'assignSlots', node: 'm1', slots: [[0, 99]], text: '' } as const;
    const dead = line('m0', { slots: [[0, 5460]], configEpoch: 9, flags: ['master', 'fail'] });
    const seen = (id: string): readonly KnownNode[] =>
      view(id).others.map((one) => (one.id === 'm0' ? dead : one));
    const snapshot = snapshotOf([
      silent('m0'),
      ...ids.slice(1).map((id) => source(id, { others: seen(id) })),
    ]);
    const epochs = [8, 8, 9];
    const taken: string[] = [];
    let time = 0;
    const act = async (heard: () => number): Promise<void> => {
      const ports = {
        ...{ snapshot, signal: new AbortController().signal, report: () => undefined },
        readSnapshot: () => Promise.resolve(snapshotOf(ids.map((id) => source(id, takenBy(id))))),
        dialer: { dial: () => Promise.resolve({ close: () => undefined }) },
        redis: {
          readNodeView: () => Promise.resolve(view('m1', { currentEpoch: heard() })),
          takeSlots: (_: unknown, id: string) => {
            taken.push(`${id} at ${time}`);
            return Promise.resolve();
          },
        },
        now: () => time,
        delay: (milliseconds: number) => {
          time += milliseconds;
          return Promise.resolve();
        },
      };
      await stepKinds.assignSlots.act(step, ports as unknown as StepPorts);
    };
    await act(() => epochs.shift() ?? 9);
    assert.deepEqual(taken, ['m1 at 500']);
    await assert.rejects(
      act(() => 8),
      /cart-1 has not heard of the config epoch 9 .* No slot of this step was changed/,
    );
    assert.deepEqual(taken, ['m1 at 500']);
  });
});
