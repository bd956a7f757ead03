import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import type { Deployment } from '../scenarios/deployment.ts';
import { servers, type Server } from '../scenarios/servers.ts';
import { story, untilWhole } from '../scenarios/whole.ts';
import { startKubernetes, type TestKubernetes } from '../startKubernetes.ts';
import { whyNoFaults } from './podProcesses.ts';

/** What a scenario with faults has to work with. */
export interface FaultScenario {
  readonly kubernetes: TestKubernetes;
  /** Has something undone however the scenario ends, the latest first. Undoing what is undone already does nothing. */
  readonly undo: (step: () => Promise<unknown>) => void;
  readonly say: (text: string) => void;
}

/** How long a cluster may take to get whole before a scenario fails, in seconds: times are recorded, not asserted. */
export const patient = { limit: 420 } as const;

/** Waits until the cluster is whole and each of its shards has a replica, which agents may still be moving about. */
export async function untilReplicated(deployment: Deployment, pods: number): Promise<readonly Server[]> {
  await untilWhole(deployment, pods, patient);
  const end = performance.now() + 120_000;
  for (;;) {
    const all = await servers(deployment);
    const alone = all
      .map(({ view }) => view.self)
      .filter(({ id, slots }) => slots.length > 0 && !all.some(({ view }) => view.self.masterId === id));
    if (alone.length === 0) return all;
    if (performance.now() > end)
      assert.fail(`nobody replicates ${alone.map(({ id }) => id).join(', ')}\n${await story(deployment)}`);
    await sleep(500);
  }
}

/**
 * Registers a scenario that harms machines, networks and volumes of the Kubernetes that the tests built. It takes
 * minutes, so it exists in runs of everything only (TEST_ALL=1).
 */
export function faultScenario(name: string, work: (scenario: FaultScenario) => Promise<void>): void {
  if (process.env['TEST_ALL'] === '1') test(name, { timeout: 1_800_000 }, (t) => runScenario(t, work));
}

async function runScenario(t: TestContext, work: (scenario: FaultScenario) => Promise<void>): Promise<void> {
  const kubernetes = await startKubernetes();
  const steps: (() => Promise<unknown>)[] = [() => kubernetes.stop()];
  try {
    const lacking = whyNoFaults(kubernetes.kind);
    if (lacking !== undefined) {
      assert.notEqual(process.env['CI'], 'true', lacking);
      t.skip(lacking);
      return;
    }
    const undo = (step: () => Promise<unknown>): void => void steps.push(step);
    await work({ kubernetes, undo, say: t.diagnostic.bind(t) });
  } finally {
    const failures: unknown[] = [];
    for (const step of steps.reverse()) {
      await step().catch((error: unknown) => failures.push(error));
    }
    assert.deepEqual(failures, [], 'something could not be undone');
  }
}
