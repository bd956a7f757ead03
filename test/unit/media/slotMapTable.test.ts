import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  changedSlots,
  countStandings,
  coveredCount,
  nextRange,
  rangeAt,
  slotTable,
  standingOf,
} from '../../../media/slotMap/slotTable.ts';
import { ranges, replicasText, share, slotText, summary } from '../../../media/slotMap/slotText.ts';
import { countSlots, type SlotSet } from '../../../src/model/slots.ts';
import type { ShardState, SlotMapState } from '../../../src/ui/panels/slotMap/messages.ts';

function shard(id: string, colour: number, slots: SlotSet, rest: Partial<ShardState> = {}): ShardState {
  return {
    id,
    label: `redis-${id}`,
    colour,
    slots,
    count: countSlots(slots),
    keys: 7,
    replicas: [],
    health: 'ok',
    healthText: 'Healthy',
    ...rest,
  };
}

function state(shards: readonly ShardState[], rest: Partial<SlotMapState> = {}): SlotMapState {
  return {
    ref: { addresses: ['127.0.0.1:7000'] },
    name: 'sandbox',
    where: '127.0.0.1:7000',
    takenAt: 0,
    standing: 'known',
    mayNeedSignIn: false,
    shards,
    uncovered: [],
    moving: [],
    openIsExpected: false,
    contested: [],
    problems: [],
    expected: [],
    ...rest,
  };
}

const troubled = slotTable(
  state(
    [
      shard('a', 0, [[0, 99]]),
      shard('b', 1, [[90, 199]], { health: 'failed', healthText: 'Master failed' }),
      shard('c', 2, [[300, 16_383]], { health: 'unreachable' }),
    ],
    {
      moving: [
        { slots: [[5, 5]], from: 'a', fromName: 'redis-a', to: 'c', toName: 'redis-c', saidBy: 'source' },
      ],
      contested: [{ slots: [[90, 99]], owner: 'a', other: 'b' }],
    },
  ),
);

test('each slot has its standing', () => {
  const standings = [0, 5, 90, 100, 200, 300].map((slot) => standingOf(troubled, slot));
  assert.deepEqual(standings, ['served', 'moving', 'contested', 'failed', 'uncovered', 'unverified']);
  assert.deepEqual(Object.fromEntries(countStandings(troubled)), {
    served: 89,
    moving: 1,
    contested: 10,
    failed: 100,
    uncovered: 100,
    unverified: 16_084,
  });
});

test('a contested slot belongs to the rightful owner, and only what is known to be served is covered', () => {
  assert.equal(troubled.owners[95]?.id, 'a');
  assert.equal(coveredCount(troubled), 100);
});

test('ranges are runs of one owner, and one can go from run to run', () => {
  assert.deepEqual(rangeAt(troubled, 250), [200, 299]);
  assert.deepEqual(rangeAt(troubled, 16_383), [300, 16_383]);
  assert.deepEqual([nextRange(troubled, 0, 1), nextRange(troubled, 300, 1)], [100, 16_383]);
  assert.deepEqual(
    [nextRange(troubled, 250, -1), nextRange(troubled, 200, -1), nextRange(troubled, 0, -1)],
    [200, 100, 0],
  );
});

test('slots that look the same have not changed, whoever their master is now', () => {
  const before = slotTable(state([shard('a', 0, [[0, 8191]]), shard('b', 1, [[8192, 16_383]])]));
  const failover = slotTable(state([shard('r', 0, [[0, 8191]]), shard('b', 1, [[8192, 16_383]])]));
  const moved = slotTable(state([shard('a', 0, [[0, 8189]]), shard('b', 1, [[8190, 16_383]])]));
  assert.deepEqual(changedSlots(before, failover), []);
  assert.deepEqual(changedSlots(before, moved), [8190, 8191]);
});

test('a slot is said in words', () => {
  assert.deepEqual(slotText(troubled, 5), {
    title: 'Slot 5',
    owner: 'redis-a',
    range: '0–99, 100 slots',
    standing: 'Open: redis-a → redis-c (reported by the source only)',
  });
  assert.equal(slotText(troubled, 200).owner, 'No owner');
  const moving = slotTable({ ...troubled.state, openIsExpected: true });
  assert.match(slotText(moving, 5).standing, /^Moving now: redis-a → redis-c/);
  assert.match(summary(moving), /\d slots? moving now\./);
});

test('shares are never rounded to nothing or to all', () => {
  assert.deepEqual(
    [0, 1, 5461, 16_383, 16_384].map((count) => share(count)),
    ['0%', '<0.1%', '33.3%', '>99.9%', '100%'],
  );
});

test('ranges beyond a limit are counted', () => {
  const set: SlotSet = [
    [0, 9],
    [20, 20],
    [30, 39],
  ];
  assert.equal(ranges(set), '0–9, 20, 30–39');
  assert.equal(ranges(set, 2), '0–9, 20 and 1 more range');
});

test('replicas that are not healthy are counted', () => {
  const replicas = [
    { name: 'redis-4', health: 'ok' },
    { name: 'redis-5', health: 'unreachable' },
  ] as const;
  assert.equal(replicasText(shard('a', 0, [], { replicas })), '2 replicas, 1 unhealthy');
  assert.equal(replicasText(shard('a', 0, [])), 'No replicas');
});

test('the summary says the whole map', () => {
  const text = summary(troubled);
  assert.match(text, /^sandbox: 100 of 16,384 slots are covered by 3 shards\. 1 slot open\. /);
  assert.match(text, /redis-b: 110 slots, 0\.7%, Master failed, No replicas, slots 90–199\./);
});
