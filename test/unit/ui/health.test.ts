import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UserError } from '../../../src/model/errors.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import type { ContextState } from '../../../src/inventory/contextReading.ts';
import { healthsOf, type ClusterHealth } from '../../../src/ui/health/clusterHealth.ts';
import { HealthWatch } from '../../../src/ui/health/healthWatch.ts';
import { statusText } from '../../../src/ui/health/statusText.ts';
import { badgeOf } from '../../../src/ui/tree/badge.ts';
import type { ClusterWork } from '../../../src/ui/tree/clusterRow.ts';
import { ClusterRows } from '../../../src/ui/tree/clusterRows.ts';
import { welcomeOf } from '../../../src/ui/welcome.ts';
import { ids, silent, snapshotOf, source } from '../sample.ts';

const healthy = snapshotOf(ids.map((id) => source(id)));
const withoutReplica = snapshotOf(ids.map((id) => (id === 'r0' ? silent(id) : source(id))));
const withoutMaster = snapshotOf(ids.map((id) => (id === 'm0' ? silent(id) : source(id))));
const idle: ClusterWork = { all: [] };
const resharding: ClusterWork = {
  own: { title: 'Reshard', operation: 'reshard', progress: { text: 'moving', done: 43, total: 100 } },
  all: [{ title: 'Reshard', operation: 'reshard' }],
};

function healths(clusters: readonly ClusterSnapshot[], work = idle): readonly ClusterHealth[] {
  const scope = { context: 'test', namespace: undefined, read: true, clusters };
  const contexts = [{ name: 'test', status: 'ready' as const, scopes: [scope] }];
  return healthsOf({ contexts, addressClusters: [], work: () => work }, new ClusterRows(), () => true);
}

function healthOf(snapshot: ClusterSnapshot, work = idle): ClusterHealth {
  const [health] = healths([snapshot], work);
  assert.ok(health);
  return health;
}

test('the badge counts problems before operations, and its tooltip names the first of each cluster', () => {
  assert.equal(badgeOf(0, healths([healthy])), undefined);
  assert.deepEqual(badgeOf(2, healths([healthy])), { value: 2, tooltip: '2 operations running' });
  const badge = badgeOf(1, healths([withoutReplica]));
  assert.equal(badge?.value, healthOf(withoutReplica).problems.length);
  assert.match(badge.tooltip, /^cart: .*cart-3.*\n1 operation running$/);
});

test('clusters of a context that is not shown do not count', () => {
  const scope = { context: 'test', namespace: undefined, read: true, clusters: [withoutMaster] };
  const contexts = [{ name: 'test', status: 'ready' as const, scopes: [scope] }];
  const state = { contexts, addressClusters: [], work: () => idle };
  assert.deepEqual(
    healthsOf(state, new ClusterRows(), () => false),
    [],
  );
});

test('the status bar says the name, then what is wrong, then what runs', () => {
  assert.equal(statusText(healthOf(healthy)).text, '$(pass) cart');
  assert.equal(statusText(healthOf(healthy, resharding)).text, '$(sync~spin) cart: 43% Reshard');
  const broken = statusText(healthOf(withoutMaster, resharding));
  assert.match(broken.text, /^\$\(error\) cart: \d+ problems? · 43% Reshard$/);
  assert.equal(broken.severity, 'error');
  assert.equal(statusText(healthOf(withoutReplica)).severity, 'warning');
  assert.match(
    statusText(healthOf(snapshotOf(ids.map(silent)))).text,
    /^\$\(debug-disconnect\) cart: not read$/,
  );
});

describe('a cluster that becomes unhealthy', () => {
  const names = (watch: HealthWatch, snapshot: ClusterSnapshot, now: number): readonly string[] =>
    watch.next(healths([snapshot]), now).map(({ name }) => name);

  test('is news once it lasts, and only and only once until it is healthy again', () => {
    const watch = new HealthWatch();
    const seen = [
      names(watch, healthy, 0),
      names(watch, withoutMaster, 1000),
      names(watch, withoutMaster, 3999),
      names(watch, withoutMaster, 4000),
      names(watch, withoutReplica, 9000),
      names(watch, healthy, 10_000),
      names(watch, withoutMaster, 11_000),
      names(watch, withoutMaster, 14_000),
    ];
    assert.deepEqual(seen, [[], [], [], ['cart'], [], [], [], ['cart']]);
  });

  test('is no news where it recovers at once, or was never seen healthy', () => {
    const watch = new HealthWatch();
    assert.deepEqual(names(watch, withoutMaster, 0), []);
    assert.deepEqual(names(watch, withoutMaster, 60_000), []);
    assert.deepEqual(names(watch, healthy, 61_000), []);
    assert.deepEqual(names(watch, withoutMaster, 62_000), []);
    assert.deepEqual(names(watch, healthy, 64_000), []);
    assert.deepEqual(names(watch, withoutMaster, 66_000), []);
  });
});

describe('the text below the contexts', () => {
  const context = (status: ContextState['status'], problem?: Error): ContextState => ({
    ...{ name: 'test', status, scopes: [] },
    ...(problem === undefined ? {} : { problem }),
  });
  const welcome = (contexts: readonly ContextState[], isExpanded = true, problems = 0): string | undefined =>
    welcomeOf(
      {
        contexts,
        addressClusters: [],
        kubeconfigProblems: Array.from({ length: problems }, () => ({ file: 'config', message: 'no' })),
      },
      () => isExpanded,
    );

  test('follows the state of the contexts that are expanded', () => {
    assert.equal(welcome([]), 'noKubeconfig');
    assert.equal(welcome([], true, 1), 'badKubeconfig');
    assert.equal(welcome([context('idle')], false), 'collapsed');
    assert.equal(welcome([context('reading')]), 'reading');
    assert.equal(welcome([context('ready')]), 'nothing');
    const reasons = {
      'sign-in-needed': 'signIn',
      forbidden: 'forbidden',
      unreachable: 'unreachable',
      failed: 'failed',
    } as const;
    for (const [reason, state] of Object.entries(reasons)) {
      const problem = new UserError(reason as keyof typeof reasons, 'No.');
      assert.equal(welcome([context('ready'), context('failed', problem)]), state);
    }
  });

  test('is gone as soon as one cluster is listed', () => {
    const scope = { context: 'test', namespace: undefined, read: true, clusters: [healthy] };
    assert.equal(welcome([{ name: 'test', status: 'ready', scopes: [scope] }, context('failed')]), undefined);
    const source = { ref: { addresses: ['127.0.0.1:7000'] }, name: 'Cart', sandbox: false };
    const addressClusters = [{ source, snapshot: undefined }];
    assert.equal(
      welcomeOf({ contexts: [context('failed')], addressClusters, kubeconfigProblems: [] }, () => true),
      undefined,
    );
  });
});
