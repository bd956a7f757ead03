import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { deployManifests } from '../../support/scenarios/deployment.ts';
import { record } from '../../support/scenarios/record.ts';
import type { ScenarioId } from '../../support/scenarios/requirements.ts';
import { servers } from '../../support/scenarios/servers.ts';
import { shapeOf, untilWhole } from '../../support/scenarios/whole.ts';
import { startKubernetes, type TestKubernetes } from '../../support/startKubernetes.ts';

const everything = process.env['TEST_ALL'] === '1';
let kubernetes: TestKubernetes;

before(async () => {
  kubernetes = await startKubernetes();
});

after(() => kubernetes.stop());

for (const [id, masters] of [
  ['form-3-3', 3],
  ['form-6-6', 6],
] as const) {
  if (masters === 3 || everything)
    test(`${masters} masters and ${masters} replicas form a cluster`, (t) =>
      form(id, masters, t.diagnostic.bind(t)));
}

async function form(id: ScenarioId, masters: number, say: (text: string) => void): Promise<void> {
  const all: number[] = [];
  for (let run = 0; run < (everything ? 5 : 1); run++) {
    const deployment = await deployManifests(kubernetes, { masters });
    try {
      all.push(await untilWhole(deployment, 2 * masters, { since: deployment.appliedAt }));
      assert.deepEqual(shapeOf(await servers(deployment)), { masters, replicas: masters });
      if (run === (everything ? 4 : 0)) finish(deployment);
    } finally {
      await deployment.remove();
    }
  }
  function finish(at: Parameters<typeof record>[1]): void {
    const seconds = all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
    const each = all.map((one) => one.toFixed(1)).join(', ');
    const row = record(id, at, { seconds, note: `runs: ${each} s` });
    say(`healthy in ${each} s: ${row.met ? 'within' : 'beyond'} the limit`);
  }
}
