import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hasSlot, type SlotSet } from '../../../src/model/slots.ts';
import type { Source } from '../../../src/inventory/source.ts';
import { UserError } from '../../../src/model/errors.ts';
import type { KnownNode, NodeView } from '../../../src/model/nodeView.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import type { Plan } from '../../../src/operations/plans/plan.ts';
import { planHeal } from '../../../src/operations/heal.ts';
import type { HealFacts } from '../../../src/operations/repair/openFacts.ts';
import { answeringMasters } from '../../../src/operations/repair/slotCase.ts';
import { seeded } from '../../simulation/random.ts';
import { ids, line, silent, snapshotOf, source, view } from '../sample.ts';

/** Keys on m0, m1, m2; none where nothing is said. */
type Counts = Readonly<Record<string, readonly (readonly [slot: number, keys: number])[]>>;

function heal(snapshot: ClusterSnapshot, counts: Counts = {}, changes: Partial<HealFacts> = {}): Plan {
  const masters = snapshot.nodes.filter(({ role, view }) => role === 'master' && view !== undefined);
  const keys = new Map(masters.map(({ id }) => [id, new Map(counts[id] ?? [])]));
  return planHeal(snapshot, { keys, disputes: new Map(), announced: new Map(), ...changes });
}

describe('healing', () => {
  test('a whole cluster needs none', () => {
    assert.throws(() => heal(snapshotOf(ids.map((id) => source(id)))), /know each other’s addresses/);
  });

  test('a node that moved is introduced to those that look for it elsewhere', () => {
    const old = line('r1', { host: '10.9.9.9', flags: ['slave', 'fail'], linkState: 'disconnected' });
    const others = (id: string) => view(id).others.map((one) => (one.id === 'r1' ? old : one));
    const sources = ids.map((id) =>
      id === 'm0' || id === 'm1' ? source(id, { others: others(id) }) : source(id),
    );
    const plan = heal(snapshotOf(sources));
    assert.deepEqual(plan.steps, [
      {
        kind: 'meet',
        node: 'r1',
        host: '10.0.1.1',
        port: 6379,
        busPort: 16379,
        text: 'Tell the other nodes that cart-4 is at 10.0.1.1:6379 (cart-0, cart-1 need it)',
      },
    ]);
  });

  test('an interrupted move is finished forward, also where its end came before the source was told', () => {
    const sources = ids.map((id) => {
      if (id === 'm0') {
        return source(id, {
          self: line(id, {
            migrating: [
              { slot: 5460, nodeId: 'm1' },
              { slot: 5461, nodeId: 'm1' },
            ],
          }),
        });
      }
      if (id === 'm1') return source(id, { self: line(id, { importing: [{ slot: 5460, nodeId: 'm0' }] }) });
      return source(id);
    });
    const { steps } = heal(snapshotOf(sources), { m0: [[5460, 3]] });
    assert.deepEqual(
      steps.map((step) =>
        'from' in step && 'slots' in step ? [step.kind, step.from, step.to, step.slots] : [],
      ),
      [
        ['bringKeys', 'm0', 'm1', [[5461, 5461]]],
        ['moveSlots', 'm0', 'm1', [[5460, 5460]]],
      ],
    );
  });

  test('slots that replicas alone call open are closed by their master; what it has open itself is moved', () => {
    const importing = [3, 4].map((slot) => ({ slot, nodeId: 'm1' }));
    const replica = source('r0', { self: line('r0', { importing }) });
    const valkey = (changes = {}): Source => source('m0', { product: 'valkey', ...changes });
    const withMaster = (master: Source): ClusterSnapshot =>
      snapshotOf(ids.map((id) => (id === 'r0' ? replica : id === 'm0' ? master : source(id))));
    assert.throws(() => heal(withMaster(source('m0'))), /no slot is open/);
    const plan = heal(withMaster(valkey()));
    assert.deepEqual(plan.steps, [
      {
        kind: 'closeSlots',
        node: 'm0',
        slots: [[3, 4]],
        text: 'Close 2 slots (3-4) on cart-0 and its replicas (only replicas call them open)',
      },
    ]);
    assert.match(plan.title, /close slots on replicas/);
    const migrating = [{ slot: 3, nodeId: 'm1' }];
    const both = heal(withMaster(valkey({ self: line('m0', { migrating }) })));
    assert.deepEqual(
      both.steps.map((step) => ('slots' in step ? [step.kind, step.slots] : [])),
      [
        ['moveSlots', [[3, 3]]],
        ['closeSlots', [[4, 4]]],
      ],
    );
  });

  test('after a failover keys come back to the one that took the place and says nothing of a migration', () => {
    const sources = ids.map((id) => {
      if (id === 'm0') return source(id, { self: line(id, { flags: ['slave'], masterId: 'r0', slots: [] }) });
      if (id === 'r0') {
        const self = line('m0', { id: 'r0', slots: [[0, 5460]] });
        return source(id, { self, replication: { role: 'master', offset: 1000, replicas: [] } });
      }
      if (id === 'm1') return source(id, { self: line(id, { importing: [{ slot: 7, nodeId: 'm0' }] }) });
      if (id === 'm2') return source(id, { self: line(id, { importing: [{ slot: 8, nodeId: 'gone' }] }) });
      return source(id);
    });
    const { steps } = heal(snapshotOf(sources), { m1: [[7, 2]] });
    assert.deepEqual(
      steps.flatMap((step) =>
        step.kind === 'bringKeys' ? [[step.from, step.to, step.slots, step.text]] : [],
      ),
      [
        [
          'm1',
          'r0',
          [[7, 7]],
          'Move the keys that cart-1 holds in 1 slot (7) to cart-3, and close the slots on cart-1 (2 keys; cart-3 owns them)',
        ],
        [
          'm2',
          'r0',
          [[8, 8]],
          'Move the keys that cart-2 holds in 1 slot (8) to cart-3, and close the slots on cart-2 (0 keys; cart-3 owns them)',
        ],
      ],
    );
  });

  const withMarks = (marks: Readonly<Record<string, Partial<NodeView['self']>>>): ClusterSnapshot =>
    snapshotOf(ids.map((id) => source(id, marks[id] === undefined ? {} : { self: line(id, marks[id]) })));

  test('a slot that two masters import is repaired once: it stays with its owner, or goes where that one migrates it', () => {
    const importing = [{ slot: 100, nodeId: 'm0' }];
    const kinds = ({ steps }: Plan): unknown[] =>
      steps.map((step) => ('from' in step && 'to' in step ? [step.kind, step.from, step.to] : [step.kind]));
    const counts = { m0: [[100, 400]], m1: [[100, 5]] } as const;
    assert.deepEqual(kinds(heal(withMarks({ m1: { importing }, m2: { importing } }), counts)), [
      ['bringKeys', 'm1', 'm0'],
      ['bringKeys', 'm2', 'm0'],
    ]);
    const migrating = [{ slot: 100, nodeId: 'm2' }];
    assert.deepEqual(
      kinds(heal(withMarks({ m0: { migrating }, m1: { importing }, m2: { importing } }), counts)),
      [
        ['bringKeys', 'm1', 'm2'],
        ['moveSlots', 'm0', 'm2'],
      ],
    );
  });

  test('keys in a slot that nobody calls open come home too', () => {
    const { steps } = heal(withMarks({}), { m2: [[3, 1]] });
    assert.deepEqual(
      steps.map((step) => (step.kind === 'bringKeys' ? [step.from, step.to, step.slots] : [])),
      [['m2', 'm0', [[3, 3]]]],
    );
  });

  test('a slot whose keys are disputed, or whose holder could not be asked, is left while others are repaired', () => {
    const importing = [3, 4].map((slot) => ({ slot, nodeId: 'm0' }));
    const snapshot = withMarks({ m1: { importing }, m2: { importing: [{ slot: 5, nodeId: 'm0' }] } });
    const nodes = answeringMasters(snapshot).slice(0, 2);
    const disputes = new Map([[3, { key: '"k"', nodes, why: 'differ' as const }]]);
    const keys = new Map([
      ['m0', new Map([[3, 1]])],
      ['m1', new Map([[3, 1]])],
    ]);
    const { steps, warnings } = heal(snapshot, {}, { keys, disputes });
    assert.deepEqual(
      steps.map((step) => ('slots' in step ? [step.kind, step.slots] : [])),
      [['bringKeys', [[4, 4]]]],
    );
    assert.match(
      warnings.join('\n'),
      /Slot 3: the key "k" has different values on cart-0 and cart-1.*ASKING.*heal again/,
    );
    assert.match(warnings.join('\n'), /Slot 5 is open, and cart-2 could not be asked/);
  });

  test('whatever is open and astray, a slot is in one repair or left, and moved once at most', () => {
    for (let seed = 1; seed <= 2000; seed++) {
      const random = seeded(seed);
      const masters = ['m0', 'm1', 'm2'];
      const slots = [1, 2, 6000, 12_000];
      const marks = (id: string): NodeView['self']['migrating'] =>
        slots
          .filter(() => random.below(2) === 0)
          .flatMap((slot) => {
            const nodeId = random.pick([...masters, 'gone']);
            return nodeId === id ? [] : [{ slot, nodeId }];
          });
      const snapshot = withMarks(
        Object.fromEntries(masters.map((id) => [id, { migrating: marks(id), importing: marks(id) }])),
      );
      const counts = Object.fromEntries(
        masters.map((id) => [
          id,
          slots.map((slot) => [slot, random.below(3)] as const).filter(([, keys]) => keys > 0),
        ]),
      );
      let plan: Plan;
      try {
        plan = heal(snapshot, counts);
      } catch (error) {
        assert.ok(error instanceof UserError, String(error));
        continue;
      }
      for (const slot of slots) {
        const steps = plan.steps.filter(
          (step) => 'slots' in step && hasSlot(step.slots, slot) && step.kind !== 'correctImports',
        );
        assert.ok(steps.filter(({ kind }) => kind === 'moveSlots').length <= 1, `seed ${seed}`);
        assert.equal(
          new Set(steps.flatMap((step) => ('to' in step ? [step.to] : []))).size <= 1,
          true,
          `seed ${seed}`,
        );
        const isLeft = plan.warnings.some((text) => text.includes(`lot ${slot} `));
        assert.ok(!isLeft || steps.length === 0, `seed ${seed}`);
      }
    }
  });

  test('announced addresses are what nodes are introduced by, and a whole cluster that has some needs no introduction', () => {
    const announced = (id: string): KnownNode =>
      line(id, { host: '192.0.2.10', port: 32_000 + ids.indexOf(id), busPort: 31_800 + ids.indexOf(id) });
    const whole = (id: string, changes: Partial<KnownNode> = {}): Source => {
      const own = source(id);
      const others = ids
        .filter((other) => other !== id)
        .map((other) => ({ ...announced(other), ...changes }));
      return { ...own, reading: { ...own.reading, view: { ...view(id), self: announced(id), others } } };
    };
    assert.throws(() => heal(snapshotOf(ids.map((id) => whole(id)))), /know each other’s addresses/);
    const apart = snapshotOf(ids.map((id) => whole(id, { linkState: 'disconnected' })));
    const at = (facts: Partial<HealFacts>): unknown[] =>
      heal(apart, {}, facts).steps.map((step) =>
        step.kind === 'meet' ? [step.node, step.host, step.port, step.busPort] : [],
      );
    const hosts = (host: (id: string) => string): unknown[] =>
      apart.nodes.map(({ id, port, busPort }) => [id, host(id), port, busPort]);
    assert.deepEqual(
      at({ announced: new Map(ids.map((id) => [id, '192.0.2.10'])) }),
      hosts(() => '192.0.2.10'),
    );
    assert.deepEqual(
      at({ announced: new Map(ids.map((id) => [id, ''])) }),
      hosts((id) => line(id).host),
    );
    assert.deepEqual(
      at({}),
      hosts((id) => line(id).host),
    );
  });

  test('where the other end is gone a person decides', () => {
    const open = line('m0', { migrating: [{ slot: 1, nodeId: 'm1' }] });
    const sources = ids.map((id) =>
      id === 'm1' ? silent(id) : source(id, id === 'm0' ? { self: open } : {}),
    );
    assert.throws(
      () => heal(snapshotOf(sources)),
      /Slot 1 is open from cart-0 to cart-1.*You have to decide/,
    );
  });

  test('masters that claim the same slots are introduced only where one has taken the place of the other', () => {
    const apart = (slots: SlotSet, configEpoch: number) =>
      ids.map((id) => {
        const others = view(id).others.filter(
          (one) => !(['m0', 'm1'].includes(id) && ['m0', 'm1'].includes(one.id)),
        );
        return source(id, { others, ...(id === 'm1' ? { self: line(id, { slots, configEpoch }) } : {}) });
      });
    assert.throws(
      () =>
        heal(
          snapshotOf(
            apart(
              [
                [0, 0],
                [5461, 10_922],
              ],
              9,
            ),
          ),
        ),
      /cart-0 and cart-1 both claim slots 0 and do not know each other.*CLUSTER DELSLOTS.*You have to decide/,
    );
    assert.throws(() => heal(snapshotOf(apart([[0, 10_922]], 0))), /both claim slots 0-5460/);
    const healed = heal(snapshotOf(apart([[0, 10_922]], 9)));
    assert.deepEqual(
      healed.steps.map(({ kind }) => kind),
      ['meet', 'meet'],
    );
  });
});
