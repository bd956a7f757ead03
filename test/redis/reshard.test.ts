import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { countSlots, subtractSlots, type SlotSet } from '../../src/model/slots.ts';
import type { Plan } from '../../src/operations/plans/plan.ts';
import { openJournal, pastRuns } from '../../src/operations/run/journal.ts';
import { planReshard, type ReshardRequest } from '../../src/operations/reshard.ts';
import { plannedRuns, planRemainder, remainderOf } from '../../src/operations/reshardRemainder.ts';
import { journalFiles } from '../../src/ui/run/journalFiles.ts';
import type { PlanResult } from '../../src/operations/run/planResult.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import { startChaosClient } from '../support/chaosClient.ts';
import {
  startRedisCluster,
  type TestCluster,
  type TestClusterOptions,
} from '../support/startRedisCluster.ts';
import { dumpAll, fill, type Write } from '../support/redis/fill.ts';
import { readSnapshot } from '../support/redis/readSnapshot.ts';
import { runPorts } from '../support/redis/runPorts.ts';

const clusters: TestCluster[] = [];
after(async () => {
  await Promise.all(clusters.map((cluster) => cluster.stop()));
});

async function start(options: TestClusterOptions = {}): Promise<TestCluster> {
  const cluster = await startRedisCluster(options);
  clusters.push(cluster);
  return cluster;
}

function idOf(cluster: TestCluster, index: number): string {
  const node = cluster.nodes[index];
  if (node === undefined) throw new Error(`there is no node ${index}`);
  return node.id;
}

async function reshard(
  cluster: TestCluster,
  request: ReshardRequest,
  options: { signal?: AbortSignal; onSlots?: (done: number) => void } = {},
): Promise<PlanResult> {
  const snapshot = await readSnapshot(cluster);
  return await runPlan(
    planReshard(snapshot, request),
    runPorts(cluster, {
      report: ({ done = 0 }) => options.onSlots?.(done),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    }),
  );
}

async function slotsOf(cluster: TestCluster, index: number): Promise<SlotSet> {
  return (await readSnapshot(cluster)).nodes[index]?.slots ?? [];
}

/** redis-cli's own judgement; replicas hear of new owners by gossip, so it may need a moment. */
async function assertWhole(cluster: TestCluster): Promise<void> {
  let answer = { code: 1, stdout: '' };
  for (let attempt = 0; attempt < 20 && answer.code !== 0; attempt++) {
    answer = await cluster.cli('--cluster', 'check', cluster.addresses[0] ?? '');
  }
  assert.equal(answer.code, 0, answer.stdout);
  assert.match(answer.stdout, /All 16384 slots covered/);
  assert.doesNotMatch(answer.stdout, /WARNING/);
}

function* awkwardWrites(count: number): Generator<Write> {
  for (let number = 0; number < count; number++) {
    const bytes = Buffer.concat([Buffer.from([0xff, 0x00, 0xc3, 0x28, 0x0a]), Buffer.from(`:${number}`)]);
    yield ['SET', bytes, `binary ${number}`];
    yield ['SET', Buffer.from(`lasting:${number}`), 'value', 'EX', 86_400];
    yield ['HSET', Buffer.from(`hash:${number}`), 'field', Buffer.from([0, 255, number % 256])];
    if (number % 100 === 0)
      yield ['SET', Buffer.from(`big:${number}`), Buffer.alloc(3_000_000, number % 256)];
  }
}

function* passingWrites(count: number): Generator<Write> {
  for (let number = 0; number < count; number++) {
    yield ['SET', Buffer.from(`passing:${number}`), 'value', 'PX', 50 + (number % 1500)];
  }
}

test('1,000 slots move while a client writes, and nothing is lost', async () => {
  const cluster = await start();
  await fill(cluster, awkwardWrites(3000));
  const before = await dumpAll(cluster);
  const chaos = await startChaosClient({ nodes: cluster.nodes });
  await fill(cluster, passingWrites(3000));
  const progress: number[] = [];
  const result = await reshard(
    cluster,
    { from: 'all', to: idOf(cluster, 1), slots: 1000 },
    { onSlots: (done) => progress.push(done) },
  );
  const report = await chaos.stop();
  assert.deepEqual([report.missing, report.stale, report.losses], [0, 0, []]);
  assert.deepEqual(report.errors, []);
  assert.ok(report.acknowledged > 100, `only ${report.acknowledged} writes were acknowledged`);
  assert.equal(result.movedSlots, 1000);
  assert.equal(result.method, 'migrate');
  assert.equal(result.cancelled, false);
  assert.ok(result.movedKeys > 500, `only ${result.movedKeys} keys were moved`);
  assert.ok(progress.length > 10 && progress.at(-1) === 1000);
  await assertWhole(cluster);
  assert.equal(countSlots(await slotsOf(cluster, 1)), 5462 + 1000);
  const later = await dumpAll(cluster);
  for (const [key, value] of before)
    assert.equal(later.get(key), value, `the key ${JSON.stringify(key)} changed`);
});

test('slots move between servers that ask for a password', async () => {
  const cluster = await start({ password: 'pass "word" \\1' });
  await fill(cluster, awkwardWrites(500));
  const before = await dumpAll(cluster);
  const result = await reshard(cluster, {
    from: [idOf(cluster, 0)],
    to: idOf(cluster, 2),
    slots: [[0, 299]],
  });
  assert.equal(result.movedSlots, 300);
  assert.deepEqual(await dumpAll(cluster), before);
  await assertWhole(cluster);
  const slowlog = await cluster.cli('SLOWLOG', 'GET', '128');
  assert.doesNotMatch(slowlog.stdout, /pass "word"/);
});

test('a whole master is emptied', async () => {
  const cluster = await start();
  await fill(cluster, awkwardWrites(300));
  const before = await dumpAll(cluster);
  const result = await reshard(cluster, { from: [idOf(cluster, 0)], to: idOf(cluster, 1), slots: 5461 });
  assert.equal(result.movedSlots, 5461);
  assert.deepEqual(await slotsOf(cluster, 0), []);
  assert.deepEqual(await dumpAll(cluster), before);
  await assertWhole(cluster);
});

test('cancelling leaves no slot open and keeps what was moved', async () => {
  const cluster = await start();
  await fill(cluster, awkwardWrites(2000));
  const before = await dumpAll(cluster);
  const stop = new AbortController();
  const result = await reshard(
    cluster,
    { from: [idOf(cluster, 0)], to: idOf(cluster, 1), slots: 3000 },
    {
      signal: stop.signal,
      onSlots: (done) => {
        if (done > 200) stop.abort();
      },
    },
  );
  assert.equal(result.cancelled, true);
  assert.ok(result.movedSlots > 200 && result.movedSlots < 1000, `${result.movedSlots} slots were moved`);
  assert.equal(countSlots(await slotsOf(cluster, 1)), 5462 + result.movedSlots);
  await assertWhole(cluster);
  assert.deepEqual(await dumpAll(cluster), before);
});

test('a reshard of a number of slots that was cancelled moves what is left when it is run again', async () => {
  const cluster = await start({ replicasPerMaster: 0 });
  await fill(cluster, awkwardWrites(300));
  const folder = await mkdtemp(join(tmpdir(), 'redis-cluster-journal-'));
  try {
    const journals = {
      store: journalFiles(folder),
      clock: () => Date.now(),
      delay: (milliseconds: number, signal: AbortSignal) =>
        sleep(milliseconds, undefined, { signal }).catch(() => undefined),
    };
    const request: ReshardRequest = { from: [idOf(cluster, 0)], to: idOf(cluster, 1), slots: 400 };
    const before = await slotsOf(cluster, 1);
    const runJournaled = async (plan: Plan, stop: AbortController): Promise<PlanResult> => {
      const journal = await openJournal(journals, plan);
      const report = ({ done = 0 }: { done?: number }): void => {
        if (done >= 100) stop.abort();
      };
      const ports = runPorts(cluster, { report, signal: stop.signal, observer: journal.observer });
      const result = await runPlan(plan, ports);
      await journal.close(result.cancelled ? 'cancelled' : 'done', '');
      return result;
    };
    const first = await readSnapshot(cluster);
    const one = await runJournaled(planReshard(first, request), new AbortController());
    assert.ok(one.cancelled && one.movedSlots > 0 && one.movedSlots < 400, JSON.stringify(one));

    const second = await readSnapshot(cluster);
    const remainder = remainderOf(plannedRuns(await pastRuns(journals)), second, request, Date.now());
    assert.ok(remainder);
    const two = await runPlan(planRemainder(second, request, remainder), runPorts(cluster));
    assert.equal(one.movedSlots + two.movedSlots, 400);
    assert.equal(countSlots(await slotsOf(cluster, 1)), countSlots(before) + 400);
    await assertWhole(cluster);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('a reshard said again by slots skips what is moved already', async () => {
  const cluster = await start();
  const request: ReshardRequest = { from: [idOf(cluster, 0)], to: idOf(cluster, 1), slots: [[0, 99]] };
  await reshard(cluster, { ...request, slots: [[0, 59]] });
  const snapshot = await readSnapshot(cluster);
  const plan = planReshard(snapshot, request);
  assert.deepEqual(
    plan.steps.map((step) => step.kind === 'moveSlots' && step.slots),
    [[[60, 99]]],
  );
  assert.match(plan.warnings.join(), /owns 60 of these slots already/);
  const result = await reshard(cluster, request);
  assert.equal(result.movedSlots, 40);
  assert.deepEqual(subtractSlots([[0, 99]], await slotsOf(cluster, 1)), []);
  assert.throws(() => planReshard({ ...snapshot }, { ...request, slots: [[0, 59]] }), /already/);
});
