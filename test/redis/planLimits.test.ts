import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../src/model/errors.ts';
import type { Progress } from '../../src/model/progress.ts';
import { planReshard, type ReshardRequest } from '../../src/operations/reshard.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import { startRedisCluster } from '../support/startRedisCluster.ts';
import { dumpAll, fill } from '../support/redis/fill.ts';
import { assertNoneOpen, assertWhole, nodeAt, plainWrites, withNode } from '../support/redis/moveFixture.ts';
import { readSnapshot } from '../support/redis/readSnapshot.ts';
import { runPorts } from '../support/redis/runPorts.ts';

const cluster = await startRedisCluster({ replicasPerMaster: 0 });
after(() => cluster.stop());

test('a plan pauses at a limit, ends with its window and no slot open, and is gone on with by another', async () => {
  await fill(cluster, plainWrites(20_000));
  const before = await dumpAll(cluster);
  const target = nodeAt(cluster, 1);
  const limitMemory = (maxmemory: string): Promise<unknown> =>
    withNode(cluster, target, (connection) => connection.call('CONFIG', 'SET', 'maxmemory', maxmemory));
  const request: ReshardRequest = { from: [nodeAt(cluster, 0).id], to: target.id, slots: 5000 };
  const windowMs = 4000;
  const limits = { memoryPercent: 1, until: new Date(Date.now() + windowMs).toISOString() };
  const plan = planReshard(await readSnapshot(cluster), { ...request, limits });
  const seen: Progress[] = [];
  let filling: Promise<unknown> | undefined;
  const report = (progress: Progress): void => {
    seen.push(progress);
    if ((progress.done ?? 0) > 100) filling ??= limitMemory('100mb');
  };
  const ended = await runPlan(plan, runPorts(cluster, { report }));
  await filling;
  assert.ok(Date.now() >= Date.parse(limits.until), 'it ended before its window did');
  assert.ok(ended.cancelled && ended.movedSlots > 100 && ended.movedSlots < 5000, JSON.stringify(ended));
  assert.match(ended.why ?? '', /^at the end of the maintenance window \(.+\)$/);
  const pauses = seen.filter(({ paused }) => paused !== undefined);
  assert.match(pauses[0]?.paused ?? '', /^Paused: the target uses \d+% of its maxmemory, more than 1%\.$/);
  assert.equal(pauses[0]?.total, 5000);
  await assertNoneOpen(cluster, cluster.nodes);
  await assertWhole(cluster, target);

  await assert.rejects(runPlan(plan, runPorts(cluster)), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /^The maintenance window ended on .+\. Create the plan again .* No slot of/);
    return true;
  });

  const left = 5000 - ended.movedSlots;
  const rest = planReshard(await readSnapshot(cluster), {
    ...{ ...request, slots: left, limits: { memoryPercent: 1 } },
  });
  const going: Progress[] = [];
  const running = runPlan(rest, runPorts(cluster, { report: (progress) => going.push(progress) }));
  while (!going.some(({ paused }) => paused !== undefined)) await sleep(20);
  await limitMemory('0');
  const { cancelled, movedSlots, why } = await running;
  assert.deepEqual([cancelled, movedSlots, why], [false, left, undefined]);
  assert.equal(going.at(-1)?.paused, undefined);
  assert.deepEqual(await dumpAll(cluster), before);
  await assertNoneOpen(cluster, cluster.nodes);
  await assertWhole(cluster, target);
});
