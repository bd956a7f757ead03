import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check, isSound } from '../../../src/checks/check.ts';
import { checkText } from '../../../src/checks/checkText.ts';
import { verdictText } from '../../../src/checks/verdict.ts';
import type { ClusterSnapshot, PodFacts, ReadFailureReason } from '../../../src/model/snapshot.ts';
import { unreadError } from '../../../src/model/unread.ts';
import { healthsOf } from '../../../src/ui/health/clusterHealth.ts';
import { ClusterRows } from '../../../src/ui/tree/clusterRows.ts';
import { badgeOf } from '../../../src/ui/tree/badge.ts';
import { clusterRow } from '../../../src/ui/tree/clusterRow.ts';
import { slotMapState } from '../../../src/ui/panels/slotMap/slotMapState.ts';
import { ids, pod, silent, snapshotOf, source } from '../sample.ts';

/** Six pods of which none could be read, as a cluster is seen for the first time. */
function unreadFor(
  reason: ReadFailureReason,
  message: (name: string) => string,
  changes: Partial<PodFacts> = {},
): ClusterSnapshot {
  return snapshotOf(
    ids.map((_, index) => {
      const facts = pod(`cart-${index}`, `10.0.0.${index}`, changes);
      return {
        pod: facts,
        reading: { tried: true, failure: { reason, message: message(facts.name), since: 1 } },
      };
    }),
  );
}

const cases: readonly {
  readonly what: string;
  readonly snapshot: ClusterSnapshot;
  readonly why: string;
  /** Where the row has room for no more. */
  readonly short: string;
  readonly said: RegExp;
  readonly remedy: RegExp;
}[] = [
  {
    what: 'a password that was not found',
    snapshot: unreadFor('password', (name) => `Redis at pod ${name} requires a password.`),
    why: 'the servers require a password',
    short: 'password required',
    said: /requires a password/,
    remedy: /found in the Secrets that container redis refers to/,
  },
  {
    what: 'TLS',
    snapshot: unreadFor('tls', (name) => `Redis at pod ${name} requires TLS.`),
    why: 'the TLS connection to the servers failed',
    short: 'TLS failed',
    said: /requires TLS/,
    remedy: /certificate authority/,
  },
  {
    what: 'no right to forward',
    snapshot: unreadFor('forbidden', (name) => `Not allowed to create pods/portforward "${name}" in shop.`),
    why: 'Kubernetes denies access',
    short: 'no permission',
    said: /create pods\/portforward/,
    remedy: /Request the permission/,
  },
  {
    what: 'a crash loop, whatever connecting says',
    snapshot: unreadFor('unreachable', () => 'connection refused', {
      reason: 'CrashLoopBackOff',
      reasonMessage: 'back-off 5m0s restarting failed container',
      ready: false,
    }),
    why: 'its pods are not running (CrashLoopBackOff)',
    short: 'CrashLoopBackOff',
    said: /back-off 5m0s/,
    remedy: /logs and events of cart-0, cart-1, cart-2 and 3 more/,
  },
  {
    what: 'a password that is no longer right',
    snapshot: unreadFor('rejected', () => 'Redis rejected the user name and password.'),
    why: 'the servers reject the user name and password',
    short: 'sign-in rejected',
    said: /rejected the user name/,
    remedy: /may have been changed\. “Sign In…”/,
  },
  {
    what: 'no answer in time',
    snapshot: unreadFor('timeout', () => 'No answer within 3 s.'),
    why: 'the servers did not answer in time',
    short: 'no answer in time',
    said: /within 3 s/,
    remedy: /overloaded or stopped/,
  },
  {
    what: 'a workload without pods',
    snapshot: {
      ...snapshotOf([]),
      workloads: [{ kind: 'StatefulSet', name: 'cart', replicas: 0, readyReplicas: 0, bundled: true }],
    },
    why: 'StatefulSet cart is scaled to 0 pods',
    short: 'StatefulSet cart is scaled to 0 pods',
    said: /are unknown/,
    remedy: /“Scale…” to the number of pods it had/,
  },
];

for (const { what, snapshot, why, short, said, remedy } of cases) {
  test(`nothing read is never healthy, and everywhere it says why: ${what}`, () => {
    const findings = check(snapshot);
    assert.deepEqual(
      findings.map(({ rule, severity, message }) => [rule, severity, message]),
      [['unread', 'error', `Cannot be read: ${why}.`]],
    );
    const [finding] = findings;
    assert.ok(
      finding !== undefined && finding.evidence.length <= 2,
      'the same reason is not said once per pod',
    );
    assert.match(finding.evidence.join('\n'), said);
    assert.match(finding.remedy ?? '', remedy);
    assert.doesNotMatch(finding.remedy ?? '', /Fix|Forget|Flush|Heal/);
    assert.equal(isSound(findings), false);
    assert.equal(verdictText(snapshot, findings), `cart cannot be read: ${why}.`);
    assert.doesNotMatch(checkText(snapshot, findings), /\[OK\]|sound|0 keys|covered/);

    const row = clusterRow(snapshot, { all: [] });
    assert.equal(row.description, `cannot be read: ${short}`);
    assert.match(row.facets, /^cluster unreachable /);
    assert.equal(row.icon.name, 'debug-disconnect');
    assert.ok(row.tooltip?.includes('Hash slots covered: unknown') === true);
    assert.doesNotMatch((row.tooltip ?? []).join('\n'), /\bok\b| 0 of 16,384|has not joined/);
    assert.ok(row.children.every(({ facets }) => /^(problem|pod)/.test(facets)));
    assert.ok(row.children.every(({ description = '' }) => !description.includes('not in the cluster yet')));

    const map = slotMapState(snapshot);
    assert.equal(map.standing, 'unreachable');
    assert.ok(map.problems[0]?.startsWith(`Cannot be read: ${why}. `));

    const addressClusters = [{ source: addressSource, snapshot }];
    const state = { contexts: [], addressClusters, work: () => ({ all: [] }) };
    const badge = badgeOf(
      0,
      healthsOf(state, new ClusterRows(), () => true),
    );
    assert.ok((badge?.value ?? 0) > 0);
    assert.ok(badge?.tooltip.startsWith(`Cart: Cannot be read: ${why}`), badge?.tooltip);
    assert.match(
      unreadError(snapshot).message,
      /^cart .*cannot be read: .*What it holds is unknown\. Nothing was changed\.$/,
    );
  });
}

const addressSource = { ref: { addresses: ['127.0.0.1:7000'] }, name: 'Cart', sandbox: false };

test('what several reasons say is all there, the most frequent first', () => {
  const [first, ...rest] = unreadFor('password', () => 'It asks for a password.').unread;
  assert.ok(first !== undefined);
  const late = { ...first, failure: { reason: 'timeout', message: 'No answer within 3 s.' } as const };
  const snapshot = { ...unreadFor('password', () => ''), unread: [late, ...rest] };
  const [finding] = check(snapshot);
  assert.equal(finding?.message, 'Cannot be read: the servers require a password.');
  assert.deepEqual(finding.evidence.slice(0, 2), [
    'cart-1, cart-2, cart-3, cart-4, cart-5: It asks for a password.',
    'cart-0: No answer within 3 s.',
  ]);
});

test('of a cluster that was read in part, what is not known is said to be not known', () => {
  const answering = ids.slice(1).map((id) => source(id));
  const snapshot = snapshotOf([silent('m0'), ...answering]);
  const findings = check(snapshot);
  assert.equal(isSound(findings), false);
  const text = checkText(snapshot, findings);
  assert.match(text, /\[WARNING\] At least 200 keys in 3 masters: 1 of them did not answer\./);
  assert.match(text, /\[OK\] The 5 of 6 nodes that answered agree about slots configuration\./);
  assert.match(text, /\[WARNING\] Not verified, since their masters did not answer: 0-5460/);
  const row = clusterRow(snapshot, { all: [] });
  assert.match(row.description ?? '', /5 of 6 nodes answered/);
  assert.match(
    row.tooltip?.join('\n') ?? '',
    /Hash slots covered: 16,384 of 16,384, 5,461 slots not verified/,
  );
  const slots = row.children.find(({ label }) => label === 'Slots');
  assert.deepEqual(
    [slots?.description, slots?.icon.name],
    ['5,461 slots not verified · 16,384 covered', 'error'],
  );
});

test('a pod whose server was not read is not said to be outside the cluster', () => {
  const facts = pod('cart-6', '10.0.9.9');
  const failure = { reason: 'password', message: 'Redis asks for a password.' } as const;
  const snapshot = snapshotOf([
    ...ids.map((id) => source(id)),
    { pod: facts, reading: { tried: true, failure } },
    { pod: pod('cart-7', '10.0.9.10'), reading: { tried: false } },
  ]);
  assert.deepEqual(
    check(snapshot).map(({ rule, severity, message }) => [rule, severity, message]),
    [
      ['unread', 'warning', 'cart-6 could not be read: the servers require a password.'],
      ['unread', 'warning', 'cart-7 could not be read: the servers did not answer in time.'],
    ],
  );
  const rows = clusterRow(snapshot, { all: [] }).children.filter(({ facets }) => facets === 'pod');
  assert.deepEqual(
    rows.map(({ description }) => description),
    ['pod · cannot be read', 'pod · cannot be read'],
  );
});
