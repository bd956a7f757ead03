import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ScenarioRow } from '../support/scenarios/record.ts';
import { requirements } from '../support/scenarios/requirements.ts';
import { resilienceDocument } from '../support/scenarios/resilienceDocument.ts';

const row: ScenarioRow = {
  id: 'drain',
  met: false,
  seconds: 4,
  acknowledged: 12_345,
  lost: 0,
  errors: ['3 × a | b'],
  gapMs: 78,
  leastGapMs: 9,
  processMs: 5.64,
  image: 'docker.io/library/redis:1.2.3',
  kubernetes: 'v1.2.3',
  at: '2001-02-03T04:05:06.000Z',
  run: '2001-02-03T04:00:00.000Z',
  client: { retry: 5, redisOptions: { connectTimeout: 7 } },
};

test('the table says what was measured, and what was not', () => {
  const text = resilienceDocument([row]);
  assert.match(text, /\| \*\*no\*\* \| 4\.0 \| 12,345 \| 0 \| 3 \| 78 \(9\) \| a \\\| b \|/);
  assert.match(text, /measured on 2001-02-03 .*Kubernetes v1\.2\.3,.*images redis:1\.2\.3\./);
  assert.match(text, /processes took this machine 5\.6 ms \(5\.6 to 5\.6,/);
  assert.match(text, /`retry 5`, `connectTimeout 7`/);
  const left = /^Not run this time: (.*)\.$/m.exec(text)?.[1] ?? '';
  assert.equal(left.split('; ').length, Object.keys(requirements).length - 1);
});
