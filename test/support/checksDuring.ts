import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { check, isSound } from '../../src/checks/check.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { Plan } from '../../src/operations/plans/plan.ts';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { Operations } from '../../src/ui/run/operations.ts';

/** The work that is checked: an operation of the window that checks, or what someone else does. */
interface Checked<T> {
  readonly read: () => Promise<ClusterSnapshot>;
  /** Absent where another window or Kubernetes does it. */
  readonly own?: Pick<Plan, 'ref' | 'title' | 'operation' | 'steps'>;
  readonly work: () => Promise<T>;
  /** Does the work again until the cluster was checked as often meanwhile. */
  readonly least?: number;
}

/**
 * Checks a cluster as a window does, one reading after another, while the work is done and until nothing is found
 * without it; asserts that no check saw a fault, and says how many would have without knowing what runs.
 */
export async function checksDuring<T>(
  context: TestContext,
  { read, own, work, least = 0 }: Checked<T>,
): Promise<T> {
  const operations = new Operations();
  let [checks, unexplained, isRunning] = [0, 0, true];
  const alarms: Finding[] = [];
  const checking = (async (): Promise<void> => {
    for (;;) {
      const isLast = !isRunning;
      const snapshot = await read();
      const bare = check(snapshot).filter(({ severity }) => severity !== 'info');
      const findings = check(snapshot, operations.workOn(snapshot));
      const faults = findings.filter(({ severity }) => severity !== 'info');
      assert.equal(isSound(findings) || faults.length > 0, true);
      checks += 1;
      if (bare.length > 0) unexplained += 1;
      alarms.push(...faults);
      if (isLast && (bare.length === 0 || faults.length > 0)) return;
    }
  })();
  const once = (): Promise<T> => (own === undefined ? work() : operations.run(own, work));
  try {
    let result = await once();
    while (checks < least && alarms.length === 0) result = await once();
    return result;
  } finally {
    isRunning = false;
    await checking;
    context.diagnostic(
      `${checks} checks, ${unexplained} with findings that what runs explains, ${alarms.length} alarms`,
    );
    assert.deepEqual(
      alarms.slice(0, 5).map(({ message, evidence }) => [message, ...evidence]),
      [],
    );
  }
}
