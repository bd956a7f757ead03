import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from '../../../src/checks/check.ts';
import { redisCliText } from '../../../src/checks/checkText.ts';
import type { NodeView } from '../../../src/model/nodeView.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { mayNeedSignIn } from '../../../src/model/unread.ts';
import { refuseIncomplete } from '../../../src/operations/refusals/refuseIncomplete.ts';
import { clusterRow } from '../../../src/ui/tree/clusterRow.ts';
import { ids, snapshotOf, source } from '../sample.ts';

const reply = "NOPERM this user has no permissions to run the 'info' command";
const denied = [{ command: 'INFO', says: 'keys, memory, replication, version', reply }];
const unknown: Partial<NodeView> = { denied, keys: 0, usedMemoryBytes: 0, version: '' };

function readWithout(...names: readonly string[]): ClusterSnapshot {
  return snapshotOf(ids.map((id) => source(id, names.includes(id) ? unknown : {})));
}

test('what a denied command would have said is said to be unknown, once for all nodes', () => {
  const [finding, ...others] = check(readWithout(...ids));
  assert.deepEqual(others, []);
  assert.equal(finding?.message, 'Denied on all nodes: INFO. Unknown: keys, memory, replication, version.');
  assert.deepEqual(finding.evidence, [`INFO: ${reply}`]);
  const [some] = check(readWithout('m0'));
  assert.match(some?.message ?? '', /^Denied on cart-0: INFO\. /);
});

test('keys that are unknown are never shown as none, nor counted', () => {
  const snapshot = readWithout('m0');
  assert.match(redisCliText(snapshot) ?? '', /cart-0|10\.0\.0\.0:6379 \(m0\.\.\.\) -> denies INFO/);
  assert.match(
    redisCliText(snapshot) ?? '',
    /At least 200 keys in 3 masters: 1 of them did not report theirs/,
  );
  const row = JSON.stringify(clusterRow(snapshot, { all: [] }));
  assert.match(row, /INFO denied/);
  assert.doesNotMatch(row, /\b0 keys/);
});

test('nothing is changed on a guess, and signing in as another user is offered', () => {
  const snapshot = readWithout('m0');
  assert.throws(
    () => {
      refuseIncomplete(snapshot);
    },
    { reason: 'forbidden', message: /may not run INFO \(keys, memory, .*“Sign In…”.*Nothing was changed/ },
  );
  assert.ok(mayNeedSignIn(snapshot));
  assert.match(clusterRow(snapshot, { all: [] }).facets, /\bsignIn\b/);
  assert.ok(!mayNeedSignIn(readWithout()));
  assert.doesNotMatch(clusterRow(readWithout(), { all: [] }).facets, /\bsignIn\b/);
});
