import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../../src/model/errors.ts';
import { mastersOf } from '../../../src/model/shards.ts';
import type { ClusterSnapshot, PodFacts, RedisNode } from '../../../src/model/snapshot.ts';
import { agreed } from '../../../src/operations/servers/agreed.ts';
import { planHeal } from '../../../src/operations/heal.ts';
import { readHealFacts } from '../../../src/operations/repair/openFacts.ts';
import { runPlan } from '../../../src/operations/run/runPlan.ts';
import type { ChaosOptions } from '../../support/chaosClient.ts';
import type { ShapeFixture } from './fixture.ts';
import { runInPod } from './inPod.ts';
import { onlyCluster } from './readings.ts';

/** Looks at the cluster for as long as something happens to it. */
export async function watched(fixture: ShapeFixture, happening: Promise<unknown>): Promise<void> {
  const state = { isOver: false };
  const over = happening.finally(() => (state.isOver = true));
  while (!state.isOver) {
    await onlyCluster(fixture);
    await sleep(100);
  }
  await over;
}

export async function healAll(fixture: ShapeFixture): Promise<void> {
  const ports = await fixture.runPorts();
  const snapshot = await agreed(ports.readSnapshot);
  await runPlan(planHeal(snapshot, await readHealFacts(snapshot, ports.dialer)), ports);
}

/** What a refusal says. */
export async function refusal(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return error.message;
  }
  return assert.fail('it was not refused');
}

export function refusedText({ shape }: ShapeFixture, message: string): string {
  if (shape.owner !== undefined) assert.ok(message.includes(shape.owner), message);
  const why = /\(([^()]*)\)\. |(have no volumes)/.exec(message);
  return `refused: ${shape.owner ?? (why?.[2] === undefined ? 'several workloads' : 'no volumes')}`;
}

export function podOf(node: RedisNode | undefined): PodFacts {
  assert.ok(node?.pod);
  return node.pod;
}

export function twoMasters(cluster: ClusterSnapshot): readonly [RedisNode, RedisNode] {
  const [source, target] = mastersOf(cluster);
  assert.ok(source !== undefined && target !== undefined);
  return [source, target];
}

export const firstSlot = ({ slots }: RedisNode): number => slots[0]?.[0] ?? assert.fail('no slot');

export async function cliOn(fixture: ShapeFixture, node: RedisNode, words: string): Promise<string> {
  return runInPod(fixture.admin, podOf(node), `${fixture.shape.cli} ${words}`);
}

export async function redisCliCheck(
  fixture: ShapeFixture,
): Promise<{ readonly isContent: boolean; readonly output: string }> {
  const [pod] = await fixture.pods();
  assert.ok(pod);
  const output = await runInPod(
    fixture.admin,
    pod,
    `${fixture.shape.cli} --cluster check ${pod.ip ?? ''}:${pod.port}`,
  );
  return {
    output,
    isContent: output.includes('[OK] All 16384 slots covered') && !/\[(ERR|WARNING)\]/.test(output),
  };
}

export function clientOf({ shape }: ShapeFixture): Pick<ChaosOptions, 'password' | 'username' | 'tls'> {
  const { username, password, tls } = shape.client;
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls: { ca: '', ...tls } }),
  };
}
