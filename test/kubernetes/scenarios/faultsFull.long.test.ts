import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Finding } from '../../../src/model/finding.ts';
import { tagFor } from '../../support/faults/directWriter.ts';
import { faultScenario, patient, untilReplicated } from '../../support/faults/faultScenario.ts';
import { findingsOf } from '../../support/faults/findings.ts';
import { sendHugeValue } from '../../support/faults/hugeValue.ts';
import { makeSmallVolume } from '../../support/faults/smallVolume.ts';
import type { ChaosReport } from '../../support/chaosClient.ts';
import { deployManifests, type Deployment } from '../../support/scenarios/deployment.ts';
import { record } from '../../support/scenarios/record.ts';
import { servers, withServer, type Server } from '../../support/scenarios/servers.ts';
import { untilWhole } from '../../support/scenarios/whole.ts';
import { underWriters } from '../../support/scenarios/writers.ts';

const limit = { memory: '128Mi' };
const smallPods = {
  spec: {
    template: { spec: { containers: [{ name: 'redis', resources: { limits: limit, requests: limit } }] } },
  },
};

faultScenario('memory limit reached: one shard refuses writes until keys are deleted', async (scenario) => {
  const { kubernetes, undo, say } = scenario;
  const deployment = await deployManifests(kubernetes, { patches: [smallPods] });
  undo(() => deployment.remove());
  await untilReplicated(deployment, 6);
  const full = await firstMaster(deployment);
  const tag = tagFor(full.view.self.slots);
  const { result, report } = await underWriters(deployment, async () => {
    const { keys, refusal, megabytes } = await fillMemory(deployment, full, tag);
    assert.match(refusal, /^OOM command not allowed when used memory > 'maxmemory'/);
    await sleep(5000);
    assertNamed(await findingsOf(deployment), 'memory-full', full);
    const since = performance.now();
    await withServer(deployment, full.ip, (redis) => redis.unlink(...keys));
    await untilAnswer(deployment, full, tag, (answer) => answer === 'OK');
    return { seconds: (performance.now() - since) / 1000, megabytes };
  });
  const seconds = await untilWhole(deployment, 6, patient);
  const others = gapOfOthers(report, full);
  const note = `full after ${result.megabytes} MB; writes again ${result.seconds.toFixed(1)} s after the keys were deleted; longest gap of the other shards ${others} ms`;
  const held = others < 1000 && onlyRefusals(report, /OOM command not allowed/);
  say(JSON.stringify(record('memory-limit', deployment, { report, seconds, note, held })));
  assert.equal(report.missing + report.stale, 0, report.losses.join('\n'));
  assert.ok(onlyRefusals(report, /OOM command not allowed/), report.errors.join('\n'));
  await assertNoRestart(deployment);
  assert.deepEqual(await findingsOf(deployment), []);
});

faultScenario(
  "the container's memory limit reached: the server is killed and comes back",
  async (scenario) => {
    const { kubernetes, undo, say } = scenario;
    const deployment = await deployManifests(kubernetes, { patches: [smallPods] });
    undo(() => deployment.remove());
    await untilReplicated(deployment, 6);
    const full = await firstMaster(deployment);
    const key = `huge:{${tagFor(full.view.self.slots)}}`;
    const { result, report } = await underWriters(deployment, async () => {
      await sendHugeValue({ ip: full.ip, password: deployment.password }, key, 256);
      return untilWhole(deployment, 6, patient);
    });
    const state = 'jsonpath={.status.containerStatuses[?(@.name=="redis")].lastState.terminated.reason}';
    const reason = await deployment.kubectl(['get', 'pod', full.name, '-o', state]);
    const others = gapOfOthers(report, full);
    const note = `of the container, ${limit.memory}: Kubernetes says ${reason}; longest gap of the other shards ${others} ms`;
    const held = others < 1000 && reason === 'OOMKilled';
    say(JSON.stringify(record('memory-limit', deployment, { report, seconds: result, note, held })));
    assert.equal(reason, 'OOMKilled');
    assert.deepEqual(await findingsOf(deployment), []);
  },
);

faultScenario(
  'volume full: one shard refuses writes until there is room',
  async ({ kubernetes, undo, say }) => {
    const volume = await makeSmallVolume(kubernetes, 64);
    undo(() => volume.remove());
    const deployment = await deployManifests(kubernetes, { before: volume.claim('data-redis-cluster-0') });
    undo(() => deployment.remove());
    await untilReplicated(deployment, 6);
    const full = (await servers(deployment)).find(({ name }) => name === 'redis-cluster-0');
    assert.ok(full !== undefined && full.view.self.slots.length > 0);
    const tag = tagFor(full.view.self.slots);
    const { result, report } = await underWriters(deployment, async () => {
      await sleep(1000);
      await volume.fillUp();
      const refusal = await untilAnswer(deployment, full, tag, (answer) => answer !== 'OK');
      assert.match(refusal, /^MISCONF Errors writing to the AOF file: No space left on device/);
      await sleep(10_000);
      assertNamed(await findingsOf(deployment), 'persistence', full);
      const log = await deployment.kubectl(['logs', full.name, '-c', 'redis']);
      // ENOSPC, or a short write where a last bit of the line found room.
      assert.match(log, /writing to the AOF file/);
      const since = performance.now();
      await volume.makeRoom();
      await untilAnswer(deployment, full, tag, (answer) => answer === 'OK');
      return { seconds: (performance.now() - since) / 1000 };
    });
    const seconds = await untilWhole(deployment, 6, patient);
    const others = gapOfOthers(report, full);
    const note = `64 MB of tmpfs; writes again ${result.seconds.toFixed(1)} s after there was room; longest gap of the other shards ${others} ms`;
    const held = others < 1000 && onlyRefusals(report, /^MISCONF/);
    say(JSON.stringify(record('volume-full', deployment, { report, seconds, note, held })));
    assert.equal(report.missing + report.stale, 0, report.losses.join('\n'));
    assert.ok(onlyRefusals(report, /^MISCONF/), report.errors.join('\n'));
    await assertNoRestart(deployment);
    assert.deepEqual(await findingsOf(deployment), []);
  },
);

async function firstMaster(deployment: Deployment): Promise<Server> {
  const found = (await servers(deployment)).find(({ view }) => view.self.slots.length > 0);
  assert.ok(found);
  return found;
}

/** Values of 1 MB until the server refuses one, then smaller ones, as a buffer for a large one may no longer fit. */
async function fillMemory(
  deployment: Deployment,
  { ip }: Server,
  tag: string,
): Promise<{ readonly keys: readonly string[]; readonly refusal: string; readonly megabytes: number }> {
  return withServer(deployment, ip, async (redis) => {
    const keys: string[] = [];
    let bytes = 0;
    for (let size = 1 << 20; ;) {
      const key = `ballast:{${tag}}:${keys.length}`;
      try {
        await redis.set(key, 'x'.repeat(size));
        keys.push(key);
        bytes += size;
      } catch (error) {
        const refusal = error instanceof Error ? error.message : String(error);
        if (size < 100) return { keys, refusal, megabytes: Math.round(bytes / 1e6) };
        size /= 16;
      }
      assert.ok(bytes < 1e9, 'there is no memory limit');
    }
  });
}

/** What the server answers to a write, `OK` where it takes it. */
async function write(deployment: Deployment, { ip }: Server, tag: string): Promise<string> {
  try {
    return await withServer(deployment, ip, (redis) => redis.set(`probe:{${tag}}`, '1'));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Writes until the answer is as wished, and returns it. */
async function untilAnswer(
  deployment: Deployment,
  server: Server,
  tag: string,
  wished: (answer: string) => boolean,
): Promise<string> {
  const end = performance.now() + 60_000;
  for (;;) {
    const answer = await write(deployment, server, tag);
    if (wished(answer)) return answer;
    assert.ok(performance.now() < end, answer);
    await sleep(50);
  }
}

function assertNamed(findings: readonly Finding[], rule: string, { name, view }: Server): void {
  assert.deepEqual(
    findings.map((one) => [one.rule, one.severity, one.nodeIds]),
    [[rule, 'error', [view.self.id]]],
  );
  assert.ok(findings[0]?.message.startsWith(`${name} refuses writes`), findings[0]?.message);
}

/** The longest time without an acknowledged write in a shard that is not full, in milliseconds. */
function gapOfOthers({ perShardLongestGapMs }: ChaosReport, { ip }: Server): number {
  const others = Object.entries(perShardLongestGapMs).filter(([shard]) => !shard.startsWith(`${ip}:`));
  return Math.max(...others.map(([, gap]) => gap));
}

function onlyRefusals({ errors }: ChaosReport, meant: RegExp): boolean {
  return errors.length > 0 && errors.every((text) => meant.test(text.replace(/^\d+ × /, '')));
}

async function assertNoRestart({ kubectl }: Deployment): Promise<void> {
  const restarts = 'jsonpath={.items[*].status.containerStatuses[*].restartCount}';
  assert.match(await kubectl(['get', 'pods', '-o', restarts]), /^[0 ]+$/);
}
