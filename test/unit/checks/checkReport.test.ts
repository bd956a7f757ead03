import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from '../../../src/checks/check.ts';
import { checkReport } from '../../../src/checks/checkReport.ts';
import { checkText, redisCliText } from '../../../src/checks/checkText.ts';
import { ids, line, silent, snapshotOf, source } from '../sample.ts';

const healthy = snapshotOf(ids.map((id) => source(id)));

test('a healthy cluster is reported as such, with the folded output of redis-cli', () => {
  const report = checkReport(healthy, []);
  assert.match(report, /^# Check of cart\n\n\*\*cart is healthy: nothing found\.\*\*\n/);
  assert.match(report, /^- Nodes: 6 nodes \(3 masters and 3 replicas\)$/m);
  assert.match(report, /^- Hash slots covered: 16,384 of 16,384$/m);
  assert.match(
    report,
    /<details>\n<summary>.*<\/summary>\n\n```text\n[^]*All 16384 slots covered\.\n```\n\n<\/details>\n/,
  );
  assert.doesNotMatch(report, /^##/m);
});

test('each finding says how bad it is, where, what shows it and what to do', () => {
  const snapshot = snapshotOf([silent('m0'), ...ids.slice(1).map((id) => source(id))]);
  const findings = check(snapshot);
  const report = checkReport(snapshot, findings, [{ title: 'Reshard 9 slots', operation: 'reshard' }]);
  assert.match(report, /^## 1\. Error: Master cart-0 does not answer\.$/m);
  assert.match(report, /^- \*\*Where:\*\* cart-0 \(10\.0\.0\.0:6379\), node m0$/m);
  assert.match(report, /^- \*\*Evidence:\*\*\n {2}- \S/m);
  assert.match(report, /^- \*\*What to do:\*\* .*\.$/m);
  assert.match(report, /^1 operation is running: Reshard 9 slots\.$/m);
  assert.equal(report.match(/^## \d+\. /gm)?.length, findings.length);
  assert.doesNotMatch(report, /\n\n\n/);
});

test('slots of a failed master are not counted as covered', () => {
  const failed = { flags: ['master', 'fail'] };
  const others = (id: string) =>
    ids.filter((other) => other !== id).map((other) => line(other, other === 'm0' ? failed : {}));
  const snapshot = snapshotOf(
    ids.map((id) => (id === 'm0' ? silent(id) : source(id, { others: others(id) }))),
  );
  assert.match(checkReport(snapshot, []), /^- Hash slots covered: 10,923 of 16,384$/m);
});

test('foreign text is shown as it is, and a cluster that cannot be read has no output of redis-cli', () => {
  const unread = snapshotOf(ids.map((id) => silent(id)));
  const finding = {
    ...({ rule: 'test', severity: 'info', message: 'A <b>*pod*</b>\nof `x`', nodeIds: ['gone'] } as const),
    evidence: [],
  };
  const report = checkReport(unread, [finding]);
  assert.match(report, /^## 1\. Note: A \\<b\\>\\\*pod\\\*\\<\/b\\> of \\`x\\`$/m);
  assert.match(report, /^- \*\*Where:\*\* node gone$/m);
  assert.doesNotMatch(report, /details|Hash slots|What to do|Evidence/);
  assert.equal(redisCliText(unread), undefined);
});

test('the text of the JSON result begins with the output of redis-cli', () => {
  assert.ok(checkText(healthy, []).startsWith(`${redisCliText(healthy)}\n>>> Check nodes`));
});
