import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Deployment } from './deployment.ts';
import { countKeys, type Dataset } from './keys.ts';
import { record, type Found, type ScenarioRow } from './record.ts';
import { requirements, type Requirement, type ScenarioId } from './requirements.ts';
import { story } from './whole.ts';
import { underWriters } from './writers.ts';

/**
 * Does to the cluster what the scenario says while a client writes, records what was found and asserts what must hold
 * on any machine: nothing lost and no errors where that is required, and every key of the dataset. Times are recorded.
 */
export async function runScenario(
  t: TestContext,
  id: ScenarioId,
  { deployment, dataset }: { readonly deployment: Deployment; readonly dataset: Dataset },
  work: () => Promise<Omit<Found, 'report' | 'dataset'>>,
): Promise<ScenarioRow> {
  const required: Requirement = requirements[id];
  try {
    const { result, report } = await underWriters(deployment, work);
    const found = await countKeys(deployment, dataset);
    const held = result.held !== false && found === dataset.keys;
    const row = record(id, deployment, { ...result, report, dataset: dataset.text, held });
    t.diagnostic(JSON.stringify({ ...row, client: undefined }));
    const losses = report.losses.slice(0, 3).join('\n');
    if (required.lost === 0) assert.equal(report.missing + report.stale, 0, `lost, e.g.\n${losses}`);
    if (required.errors === 0) assert.deepEqual(report.errors, []);
    assert.equal(found, dataset.keys, 'keys of the dataset are missing');
    return row;
  } catch (error) {
    t.diagnostic(await story(deployment));
    throw error;
  }
}
