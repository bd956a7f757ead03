import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubernetesAccess } from '../../../src/kubernetes/kubernetesAccess.ts';
import { StoppedError } from '../../../src/model/errors.ts';
import { prepareRotation } from '../../../src/operations/rotatePassword.ts';
import { runPlan, type RunPorts } from '../../../src/operations/run/runPlan.ts';
import { concurrentMoves } from '../../../src/redis/moveSlots/concurrentMoves.ts';
import { ids, snapshotOf, source } from '../sample.ts';

const whole = snapshotOf(ids.map((id) => source(id)));
const snapshot = { ...whole, workloads: whole.workloads.map((one) => ({ ...one, bundled: true })) };
const [workload] = snapshot.workloads;
assert.ok(workload);
const pods = snapshot.nodes.flatMap(({ pod }) => pod ?? []);

type Data = Readonly<Record<string, string>>;

/** A Secret, and servers that take what it holds a second after it has changed. */
function world(initial: Data, uid = 'u') {
  let data: Data = initial;
  let annotations: Data = {};
  let taken = Object.values(data);
  const patches: object[] = [];
  let forgotten = 0;
  const candidate = {
    ...{ namespace: 'ns', workload, pods, passwordIsMounted: true },
    passwordFrom: { secret: 'auth', key: 'password' },
  };
  const access = {
    discover: () => Promise.resolve([candidate]),
    may: (_verb: string, resource: string) => Promise.resolve(resource === 'secrets'),
    get: () => {
      const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
      const metadata = { name: 'auth', uid, resourceVersion: '7', annotations };
      return Promise.resolve({ metadata, data: Object.fromEntries(encoded) as Data });
    },
    patch: (...[, , , , change]: Parameters<KubernetesAccess['patch']>) => {
      const { metadata, data: changed } = change as unknown as {
        metadata: { annotations?: Data };
        data: Record<string, string | null>;
      };
      patches.push(change);
      annotations = { ...annotations, ...metadata.annotations };
      for (const [key, value] of Object.entries(changed)) {
        data = Object.fromEntries(Object.entries(data).filter(([one]) => one !== key));
        if (value !== null) data = { ...data, [key]: Buffer.from(value, 'base64').toString() };
      }
      return Promise.resolve({});
    },
  } as unknown as KubernetesAccess;
  const ports = {
    ...{ redis: { concurrentMoves }, dialer: {}, kubernetes: { access, namespace: 'ns' } },
    ...{ report: () => undefined, now: () => 0, signal: new AbortController().signal },
    readSnapshot: () => Promise.resolve(snapshot),
    delay: () => {
      taken = Object.values(data);
      return Promise.resolve();
    },
    passwords: {
      tried: (_server: unknown, password: string) =>
        Promise.resolve(taken.includes(password) ? 'accepted' : 'refused'),
      forgetStored: () => {
        forgotten++;
        return Promise.resolve();
      },
    },
  } as unknown as RunPorts;
  return { access, ports, patches, secret: () => data, forgotten: () => forgotten };
}

test('the old password stays in the Secret until every server takes the new one, and is refused in the end', async () => {
  const { access, ports, patches, secret, forgotten } = world({ password: 'hunter-2' });
  const plan = await prepareRotation(access, snapshot);
  const { cancelled, steps } = await runPlan(plan, ports);
  assert.deepEqual([cancelled, steps, forgotten()], [false, 3, 1]);
  assert.deepEqual(Object.keys(secret()), ['password']);
  assert.match(secret()['password'] ?? '', /^[\w-]{32}$/);
  assert.equal(patches.length, 2);
  assert.match(JSON.stringify(patches[0]), /"resourceVersion":"7"/);
  for (const patch of patches) assert.match(JSON.stringify(patch), /"uid":"u"/);
  assert.ok(!JSON.stringify(plan).includes('hunter-2'), 'no password stands in the plan');
});

test('stopped half way it says so, and both the same plan and a new one resume with the passwords that are there', async () => {
  const first = world({ password: 'old' });
  const plan = await prepareRotation(first.access, snapshot);
  const abort = new AbortController();
  const stopped = await runPlan(plan, {
    ...first.ports,
    signal: abort.signal,
    report: () => {
      abort.abort();
    },
  });
  assert.deepEqual([stopped.cancelled, stopped.steps], [true, 1]);
  assert.match(
    stopped.notes?.join() ?? '',
    /^Both passwords remain valid until previous-password is removed from Secret auth/,
  );
  const { password: fresh } = first.secret();
  assert.deepEqual(first.secret(), { password: fresh, 'previous-password': 'old' });

  const again = await prepareRotation(first.access, snapshot);
  assert.deepEqual(
    again.steps.map(({ kind }) => kind),
    ['awaitPassword', 'dropOldPassword'],
  );
  assert.match(again.warnings.join(), /this one resumes it with the passwords that Secret auth holds/);
  const resumed = await runPlan(plan, first.ports);
  assert.deepEqual([resumed.cancelled, resumed.skipped], [false, 1]);
  assert.deepEqual(first.secret(), { password: fresh });
  assert.equal((await runPlan(plan, first.ports)).skipped, 3, 'nothing is rotated twice');
});

test('servers that do not take the new password are named, and the old one is kept', async () => {
  const { access, ports, secret } = world({ password: 'old' });
  let at = 0;
  const late = runPlan(await prepareRotation(access, snapshot), {
    ...ports,
    now: () => (at += 200_000),
    delay: () => Promise.resolve(),
  });
  await assert.rejects(late, (error) => {
    assert.ok(error instanceof StoppedError && error.changed);
    assert.match(error.message, /After 300 s not all servers accept the new password: .* 1 of 3 steps done/);
    return true;
  });
  assert.equal(secret()['previous-password'], 'old');
});

test('a Secret that is another one by now, or not that of the cluster, is not written to', async () => {
  const { access } = world({ password: 'old' });
  const plan = await prepareRotation(access, snapshot);
  const other = world({ password: 'old' }, 'another');
  await assert.rejects(runPlan(plan, other.ports), /Secret auth was deleted or replaced/);
  const steps = plan.steps.map((step) => ({ ...step, key: 'token' }));
  const foreign = world({ password: 'old', token: 'secret' });
  await assert.rejects(
    runPlan({ ...plan, steps }, foreign.ports),
    /Key token of Secret auth does not hold the password of/,
  );
  assert.deepEqual([...other.patches, ...foreign.patches], []);
});
