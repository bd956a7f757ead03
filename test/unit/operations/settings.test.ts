import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Step } from '../../../src/operations/steps/index.ts';
import { planFlush } from '../../../src/operations/flush.ts';
import { planSetConfig } from '../../../src/operations/setConfig.ts';
import type { SetConfigFacts } from '../../../src/operations/settings/facts.ts';
import { ids, silent, snapshotOf, source } from '../sample.ts';

const whole = snapshotOf(ids.map((id) => source(id)));
const kept = { configMap: 'cart', redisConf: 'maxmemory-policy noeviction\n' };

function facts(value: (id: string) => string, isKept = true): SetConfigFacts {
  return { values: new Map(ids.map((id) => [id, value(id)])), ...(isKept ? { kept } : {}) };
}

const fields = (step: Step): object =>
  Object.fromEntries(Object.entries(step).filter(([name]) => name !== 'text'));

describe('settings', () => {
  test('are changed on all servers and kept in the ConfigMap; each old value is said', () => {
    const plan = planSetConfig(
      whole,
      { name: 'maxmemory-policy', value: 'allkeys-lru' },
      facts((id) => (id === 'r2' ? 'volatile-ttl' : 'noeviction')),
    );
    assert.deepEqual(plan.steps.map(fields), [
      {
        kind: 'setConfig',
        nodes: ['m0', 'm1', 'm2', 'r0', 'r1'],
        name: 'maxmemory-policy',
        value: 'allkeys-lru',
        before: 'noeviction',
      },
      {
        kind: 'setConfig',
        nodes: ['r2'],
        name: 'maxmemory-policy',
        value: 'allkeys-lru',
        before: 'volatile-ttl',
      },
      { kind: 'keepSetting', configMap: 'cart', name: 'maxmemory-policy', value: 'allkeys-lru' },
    ]);
    assert.deepEqual(plan.warnings, []);
  });

  test('of one server are not kept, and that is said', () => {
    const plan = planSetConfig(
      whole,
      { name: 'hz', value: '20', node: 'm1' },
      facts(() => '10'),
    );
    assert.deepEqual(
      plan.steps.map((step) => ('nodes' in step ? step.nodes : [])),
      [['m1']],
    );
    assert.match(plan.warnings.join(' '), /It does not survive a restart/);
  });

  test('that all have already, passwords, and what is only read at the start are refused', () => {
    const policy = { name: 'maxmemory-policy', value: 'noeviction' };
    assert.throws(
      () =>
        planSetConfig(
          whole,
          policy,
          facts(() => 'noeviction'),
        ),
      /is noeviction already/,
    );
    for (const [name, message] of [
      ['requirepass', /passwords come from the Secret/],
      ['maxmemory', /follows from the memory limit/],
      ['require*', /is not the name of a setting/],
      ['io-threads', /read io-threads only when they start/],
    ] as const) {
      assert.throws(
        () =>
          planSetConfig(
            whole,
            { name, value: '4' },
            facts(() => ''),
          ),
        message,
      );
    }
  });

  test('a file without append-only is said to lose keys', () => {
    const plan = planSetConfig(
      whole,
      { name: 'appendonly', value: 'no' },
      facts(() => 'yes'),
    );
    assert.equal(plan.losses.length, 1);
  });
});

describe('a flush', () => {
  test('names how many keys of which cluster are lost', () => {
    const plan = planFlush(whole);
    assert.deepEqual(plan.losses, [
      'All 300 keys of cart (context test, namespace shop) are permanently deleted, on its masters and their replicas.',
    ]);
  });

  test('is refused where a master would keep its keys, and where there are none', () => {
    assert.throws(
      () => planFlush(snapshotOf(ids.map((id) => (id === 'm1' ? silent(id) : source(id))))),
      /cart-1 does not answer/,
    );
    assert.throws(() => planFlush(snapshotOf(ids.map((id) => source(id, { keys: 0 })))), /holds no keys/);
  });
});
