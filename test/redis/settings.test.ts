import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { planFlush } from '../../src/operations/flush.ts';
import { runPlan, type RunPorts } from '../../src/operations/run/runPlan.ts';
import { planSaveKeys, readLastSaves } from '../../src/operations/saveKeys.ts';
import { planSetConfig } from '../../src/operations/setConfig.ts';
import { makeStep } from '../../src/operations/steps/index.ts';
import { readSetConfigFacts } from '../../src/operations/settings/facts.ts';
import { startChaosClient } from '../support/chaosClient.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { readAnyway } from '../support/redis/readAnyway.ts';
import { runPorts } from '../support/redis/runPorts.ts';

describe('settings and flushes', { timeout: 240_000 }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startRedisCluster({ password: 'open sesame' });
  });
  after(async () => {
    await cluster.stop();
  });

  async function set(name: string, value: string): Promise<string> {
    const ports = runPorts(cluster, { readSnapshot: () => readAnyway(cluster) });
    const snapshot = await ports.readSnapshot();
    const facts = await readSetConfigFacts(snapshot, { name, value }, cluster.dialer, undefined);
    const plan = planSetConfig(snapshot, { name, value }, facts);
    await runPlan(plan, ports);
    return plan.steps.map((step) => (step.kind === 'setConfig' ? step.before : '')).join();
  }

  const valueOf = async (name: string): Promise<string> =>
    (await cluster.cli('CONFIG', 'GET', name)).stdout.split('\n')[1] ?? '';

  test('a setting is made on all servers, and the old value is good to go back', async () => {
    const old = await set('maxmemory-policy', 'allkeys-lru');
    assert.equal(old, 'noeviction');
    assert.equal(await valueOf('maxmemory-policy'), 'allkeys-lru');
    assert.equal(await set('maxmemory-policy', old), 'allkeys-lru');
    assert.equal(await valueOf('maxmemory-policy'), 'noeviction');
    await set('maxmemory', '100mb');
    assert.equal(await valueOf('maxmemory'), '104857600');
  });

  test('a value that servers refuse changes nothing', async () => {
    await assert.rejects(
      set('maxmemory-policy', 'sometimes'),
      /refused "maxmemory-policy sometimes".*No setting was changed/,
    );
    assert.equal(await valueOf('maxmemory-policy'), 'noeviction');
    await assert.rejects(set('no-such-setting', '1'), /has no setting "no-such-setting"/);
  });

  test('where a server refuses one of several settings, those set before it are taken back', async () => {
    const told: string[] = [];
    const ports: RunPorts = {
      ...runPorts(cluster, { readSnapshot: () => readAnyway(cluster) }),
      observer: {
        begun: () => Promise.resolve(),
        ended: (index, how) => Promise.resolve(void told.push(`${index} ${how}`)),
      },
    };
    const { nodes: members, ref } = await ports.readSnapshot();
    const nodes = members.map(({ id }) => id);
    const steps = [
      makeStep('setConfig', { nodes, name: 'maxmemory-policy', value: 'allkeys-lru' }, String),
      makeStep('setConfig', { nodes, name: 'maxmemory-samples', value: 'many' }, String),
    ];
    const plan = { title: 'Set', ref, operation: 'upgrade', request: {}, steps, warnings: [], losses: [] };
    await assert.rejects(
      runPlan(plan, ports),
      /refused "maxmemory-samples many".*No setting was changed\. 0 of 2 steps done/,
    );
    assert.equal(await valueOf('maxmemory-policy'), 'noeviction');
    assert.deepEqual(told, ['0 done', '1 failed', '0 cancelled']);
  });

  test('a pattern is not asked for, so that no password is read', async () => {
    const snapshot = await readAnyway(cluster);
    for (const name of ['require*', 'requirepass', 'masterauth']) {
      const { values } = await readSetConfigFacts(snapshot, { name, value: 'x' }, cluster.dialer, undefined);
      assert.equal(values.size, 0);
    }
  });

  test('every key is deleted, also while clients write new ones', async () => {
    await cluster.cli('-c', 'SET', 'old', '1');
    const chaos = await startChaosClient({ nodes: cluster.nodes, password: 'open sesame' });
    const ports = runPorts(cluster, { readSnapshot: () => readAnyway(cluster) });
    const { steps } = await runPlan(planFlush(await ports.readSnapshot()), ports);
    assert.equal(steps, 1);
    await chaos.abandon();
    assert.equal((await cluster.cli('-c', 'EXISTS', 'old')).stdout.trim(), '0');
  });

  test('every master saves its keys once, and a save that came meanwhile counts', async () => {
    await cluster.cli('-c', 'SET', 'kept', '1');
    const ports = runPorts(cluster, { readSnapshot: () => readAnyway(cluster) });
    const snapshot = await ports.readSnapshot();
    const before = await readLastSaves(snapshot, cluster.dialer);
    const plan = planSaveKeys(snapshot, before);
    const { steps, skipped } = await runPlan(plan, ports);
    assert.deepEqual([steps, skipped], [3, 0]);
    const after = await readLastSaves(snapshot, cluster.dialer);
    for (const [id, save] of after) assert.ok(save > (before.get(id) ?? 0), id);
    const again = await runPlan(plan, ports);
    assert.equal(again.skipped, 3);
    assert.deepEqual(await readLastSaves(snapshot, cluster.dialer), after);
  });

  test('a master that cannot write its keys says so, and its keys stay', async () => {
    const ports = runPorts(cluster, { readSnapshot: () => readAnyway(cluster) });
    const snapshot = await ports.readSnapshot();
    const plan = planSaveKeys(snapshot, await readLastSaves(snapshot, cluster.dialer));
    const folder = (await cluster.cli('CONFIG', 'GET', 'dir')).stdout.split('\n')[1] ?? '';
    const file = join(folder, 'dump.rdb');
    rmSync(file);
    mkdirSync(file);
    await assert.rejects(runPlan(plan, ports), /could not write its keys to disk.*No key was changed/);
    rmdirSync(file);
    assert.equal((await runPlan(plan, ports)).steps, 3);
  });
});
