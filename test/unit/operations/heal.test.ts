import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SlotSet } from '../../../src/model/slots.ts';
import type { Source } from '../../../src/inventory/source.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { planHeal } from '../../../src/operations/heal.ts';
import { ids, line, silent, snapshotOf, source, view } from '../sample.ts';

describe('healing', () => {
  test('a whole cluster needs none', () => {
    assert.throws(() => planHeal(snapshotOf(ids.map((id) => source(id)))), /know each other's addresses/);
  });

  test('a node that moved is introduced to those that look for it elsewhere', () => {
    const old = line('r1', { host: '10.9.9.9', flags: ['slave', 'fail'], linkState: 'disconnected' });
    const others = (id: string) => view(id).others.map((one) => (one.id === 'r1' ? old : one));
    const sources = ids.map((id) =>
      id === 'm0' || id === 'm1' ? source(id, { others: others(id) }) : source(id),
    );
    const plan = planHeal(snapshotOf(sources));
    assert.deepEqual(plan.steps, [
      {
        kind: 'meet',
        node: 'r1',
        host: '10.0.1.1',
        port: 6379,
        busPort: 16379,
        text: 'Tell cart-0, cart-1 that cart-4 is at 10.0.1.1:6379',
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
    const plan = planHeal(snapshotOf(sources));
    const [step] = plan.steps;
    assert.equal(plan.steps.length, 1);
    assert.deepEqual(step?.kind === 'moveSlots' ? [step.from, step.to, step.slots] : [], [
      'm0',
      'm1',
      [[5460, 5461]],
    ]);
  });

  test('slots that replicas alone call open are closed by their master; what it has open itself is moved', () => {
    const importing = [3, 4].map((slot) => ({ slot, nodeId: 'm1' }));
    const replica = source('r0', { self: line('r0', { importing }) });
    const valkey = (changes = {}): Source => source('m0', { product: 'valkey', ...changes });
    const withMaster = (master: Source): ClusterSnapshot =>
      snapshotOf(ids.map((id) => (id === 'r0' ? replica : id === 'm0' ? master : source(id))));
    assert.throws(() => planHeal(withMaster(source('m0'))), /no interrupted move can be finished/);
    const plan = planHeal(withMaster(valkey()));
    assert.deepEqual(plan.steps, [
      {
        kind: 'closeSlots',
        node: 'm0',
        slots: [[3, 4]],
        text: 'Tell the replicas of cart-0 to close 2 slots (3-4)',
      },
    ]);
    assert.match(plan.title, /close slots on replicas/);
    const migrating = [{ slot: 3, nodeId: 'm1' }];
    const both = planHeal(withMaster(valkey({ self: line('m0', { migrating }) })));
    assert.deepEqual(
      both.steps.map((step) => ('slots' in step ? [step.kind, step.slots] : [])),
      [
        ['moveSlots', [[3, 3]]],
        ['closeSlots', [[4, 4]]],
      ],
    );
  });

  test('after a failover the move goes on with the one that took the place', () => {
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
    const moves = planHeal(snapshotOf(sources)).steps.flatMap((step) =>
      step.kind === 'moveSlots' ? [[step.from, step.to, step.slots]] : [],
    );
    assert.deepEqual(moves, [
      ['r0', 'm1', [[7, 7]]],
      ['r0', 'm2', [[8, 8]]],
    ]);
  });

  test('where the other end is gone a person decides', () => {
    const open = line('m0', { migrating: [{ slot: 1, nodeId: 'm1' }] });
    const sources = ids.map((id) =>
      id === 'm1' ? silent(id) : source(id, id === 'm0' ? { self: open } : {}),
    );
    assert.throws(
      () => planHeal(snapshotOf(sources)),
      /Slot 1 is open from cart-0 to cart-1.*A person has to decide/,
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
        planHeal(
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
      /cart-0 and cart-1 both claim slots 0 and do not know each other.*CLUSTER DELSLOTS.*A person has to decide/,
    );
    assert.throws(() => planHeal(snapshotOf(apart([[0, 10_922]], 0))), /both claim slots 0-5460/);
    const healed = planHeal(snapshotOf(apart([[0, 10_922]], 9)));
    assert.deepEqual(
      healed.steps.map(({ kind }) => kind),
      ['meet', 'meet'],
    );
  });
});
