import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
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
