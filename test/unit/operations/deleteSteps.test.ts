import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubernetesAccess, KubernetesObject } from '../../../src/kubernetes/kubernetesAccess.ts';
import { StoppedError, UserError } from '../../../src/model/errors.ts';
import type { Progress } from '../../../src/model/progress.ts';
import { unreadSnapshot } from '../../../src/model/unread.ts';
import { prepareDelete } from '../../../src/operations/delete.ts';
import type { Plan } from '../../../src/operations/plans/plan.ts';
import { runPlan, type RunPorts } from '../../../src/operations/run/runPlan.ts';
import { concurrentMoves } from '../../../src/redis/moveSlots/concurrentMoves.ts';

const ref = { context: 'dev', namespace: 'team', name: 'db' };
const labels = {
  'app.kubernetes.io/instance': 'db',
  'app.kubernetes.io/name': 'redis-cluster',
  'app.kubernetes.io/managed-by': 'kubernetes-redis-cluster',
};

/** Objects by `kind/name`, whose pods go with their StatefulSet, and what was deleted, with the uid it was said to have. */
function world(...more: readonly KubernetesObject[]) {
  const all = new Map<string, KubernetesObject>();
  const add = (one: KubernetesObject): unknown => all.set(`${one.kind}/${one.metadata.name}`, one);
  const object = (kind: string, name: string, parts: object = {}): KubernetesObject => ({
    ...{ apiVersion: 'v1', kind, metadata: { name, uid: `uid-${name}`, labels } },
    ...parts,
  });
  const spec = {
    ...{ replicas: 1, selector: {}, volumeClaimTemplates: [{ metadata: { name: 'data' } }] },
    template: { spec: { containers: [{ name: 'redis' }] } },
  };
  add(object('StatefulSet', 'db', { spec }));
  for (const [kind, name] of [
    ['Service', 'db'],
    ['Pod', 'db-0'],
    ['PersistentVolumeClaim', 'data-db-0'],
    ['Secret', 'db-auth'],
  ] as const)
    add(object(kind, name));
  for (const one of more) add(one);
  const deleted: string[] = [];
  const abort = new AbortController();
  let gone = 'Pod/db-0';
  const access = {
    get: (_version: string, kind: string, _namespace: string, name: string) =>
      Promise.resolve(all.get(`${kind}/${name}`)),
    list: (_version: string, kind: string, _namespace: string, selector = '') =>
      Promise.resolve(
        [...all.values()].filter(
          (one) =>
            one.kind === kind &&
            selector
              .split(',')
              .filter(Boolean)
              .every((part) => one.metadata.labels?.[part.split('=')[0] ?? ''] === part.split('=')[1]),
        ),
      ),
    delete: (...[, kind, , name, , how]: Parameters<KubernetesAccess['delete']>) => {
      deleted.push(`${kind} ${name} ${how?.uid ?? ''}`);
      return Promise.resolve(all.delete(`${kind}/${name}`));
    },
  } as unknown as KubernetesAccess;
  const said: string[] = [];
  const workloads = [
    { kind: 'StatefulSet' as const, name: 'db', replicas: 1, readyReplicas: 1, bundled: true },
  ];
  const ports: RunPorts = {
    ...{ redis: { concurrentMoves }, dialer: {}, files: undefined },
    kubernetes: { access, namespace: 'team' },
    readSnapshot: () =>
      all.has('StatefulSet/db')
        ? Promise.resolve({ ...unreadSnapshot(ref), workloads })
        : Promise.reject(new UserError('not-found', 'no cluster')),
    report: ({ text }: Progress) => said.push(text),
    signal: abort.signal,
    now: () => 0,
    delay: () => {
      all.delete(gone);
      return Promise.resolve();
    },
  } as unknown as RunPorts;
  return {
    ...{ access, ports, deleted, said, all, abort, add, object },
    hold: () => {
      gone = '';
    },
    plan: (volumes: boolean) => prepareDelete(access, ref, workloads, { volumes }),
  };
}

test('pods go before their volumes, and the Secret last; the result names what went, the text which step it is', async () => {
  const { plan, ports, deleted, said } = world();
  const result = await runPlan(await plan(true), ports);
  assert.deepEqual(deleted, [
    'StatefulSet db uid-db',
    'Service db uid-db',
    'PersistentVolumeClaim data-db-0 uid-data-db-0',
    'Secret db-auth uid-db-auth',
  ]);
  assert.deepEqual(result.deleted, [
    'StatefulSet db',
    'Service db',
    'PersistentVolumeClaim data-db-0',
    'Secret db-auth',
  ]);
  assert.equal(result.cancelled, false);
  assert.ok(said.includes('step 2 of 5: waiting for 1 pod to be deleted'), said.join('\n'));
});

test('what has an object’s name since the plan was made is left alone', async () => {
  const { plan, ports, deleted, add, object, all } = world();
  const made = await plan(false);
  all.delete('Service/db');
  add(object('Service', 'db', { metadata: { name: 'db', uid: 'another', labels } }));
  await runPlan(made, ports);
  assert.deepEqual(deleted, ['StatefulSet db uid-db']);
});

test('a step from a file deletes nothing that cannot be proved to be the cluster’s', async () => {
  const other = {
    ...{ apiVersion: 'apps/v1', kind: 'StatefulSet' },
    metadata: { name: 'web', uid: 'uid-web', labels: { ...labels, 'app.kubernetes.io/instance': 'web' } },
    spec: { template: { spec: { containers: [] } } },
  };
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', uid: 'uid-service' } };
  const { plan, ports, deleted } = world(other, service);
  const made = await plan(false);
  const written = (workloads: string[], kind: 'StatefulSet' | 'Service' | 'Secret', uid: string): Plan => ({
    ...made,
    steps: [{ kind: 'deleteObjects', text: '', workloads, objects: [{ kind, name: 'web', uid }] }],
  });
  for (const [forged, message] of [
    [written(['db'], 'StatefulSet', 'uid-web'), /StatefulSet web cannot be proved to belong to db/],
    [written(['db'], 'Service', 'uid-service'), /Service web cannot be proved to belong to db/],
    [written(['web'], 'StatefulSet', 'uid-web'), /StatefulSet web does not belong to db/],
  ] as const)
    await assert.rejects(runPlan(forged, ports), message);
  assert.deepEqual(deleted, []);
});

test('cancelled or stuck while its pods end, it says what went, and the same plan resumes', async () => {
  const { plan, ports, deleted, hold, abort, all } = world();
  const made = await plan(true);
  hold();
  let at = 0;
  const stuck = runPlan(made, { ...ports, now: () => (at += 100_000) });
  await assert.rejects(stuck, (error) => {
    assert.ok(error instanceof StoppedError);
    assert.match(error.message, /These pods are still there: db-0\..*1 of 5 steps done\..*resumes where/s);
    assert.deepEqual((error.reached as { deleted: unknown }).deleted, ['StatefulSet db', 'Service db']);
    return true;
  });
  const stopping = {
    ...ports,
    report: () => {
      abort.abort();
    },
  };
  const stopped = await runPlan(made, stopping);
  assert.deepEqual([stopped.cancelled, stopped.steps, stopped.deleted], [true, 1, undefined]);
  all.delete('Pod/db-0');
  const resumed = await runPlan(made, { ...ports, signal: new AbortController().signal });
  assert.deepEqual([resumed.cancelled, resumed.skipped], [false, 3]);
  assert.equal(deleted.length, 4);
});
