import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupPods } from '../../../src/inventory/grouping.ts';
import { LastGroups } from '../../../src/inventory/lastGroups.ts';
import type { Unit } from '../../../src/inventory/units.ts';
import { ids, source } from '../sample.ts';
import { unit, whole } from './units.ts';

test('a cluster is called as its operator or its release calls it, unless that could mean another one', () => {
  const [leaders, followers] = [ids.slice(0, 3), ids.slice(3)].map((some) => some.map((id) => source(id)));
  const parts = (kin: Unit['kin']) => [
    unit('a-leader', leaders ?? [], kin),
    unit('a-follower', followers ?? [], kin),
  ];
  const nameOf = (units: readonly Unit[]): unknown =>
    groupPods(units, new LastGroups()).map(({ name }) => name);
  assert.deepEqual(nameOf(parts({ instance: 'r' })), ['r']);
  assert.deepEqual(nameOf(parts({ instance: 'r', name: 'shop' })), ['shop']);
  assert.deepEqual(nameOf([unit('redis-shop', whole(''), { name: 'shop' })]), ['shop']);
  assert.deepEqual(nameOf([unit('r-redis', whole(''), { instance: 'r' })]), ['r-redis']);
  const others = [unit('b', whole('b'), { instance: 'r', name: 'shop' })];
  assert.deepEqual(nameOf([...parts({ instance: 'r', name: 'shop' }), ...others]), ['r', 'b']);
});
