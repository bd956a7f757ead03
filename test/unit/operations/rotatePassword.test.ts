import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodFacts } from '../../../src/model/snapshot.ts';
import type { KubernetesAccess } from '../../../src/kubernetes/kubernetesAccess.ts';
import { runRotation, type RotatePlan, type RotatePorts } from '../../../src/operations/rotatePassword.ts';

const servers = ['a', 'b'].map((name) => ({
  pod: { name, namespace: 'ns', port: 6379, uid: `uid-${name}` } as PodFacts,
  id: `id-${name}`,
}));
const plan: RotatePlan = {
  ...{ title: '', operation: 'rotatePassword', request: {} },
  ref: { context: 'c', namespace: 'ns', name: 'shop' },
  secret: { secret: 'auth', key: 'password' },
  ...{
    resourceVersion: '7',
    uid: 'u',
    goesOn: false,
    mayPoke: false,
    servers,
    steps: [],
    warnings: [],
    losses: [],
  },
};

/** A Secret, and servers that take what it holds a second after it has changed. */
function world(data: Record<string, string>, signal = new AbortController().signal) {
  let taken = { ...data };
  const patches: unknown[] = [];
  const access = {
    readSecret: (_: string, { key }: { key: string }) => Promise.resolve(data[key]),
    patch: (
      _v: string,
      _k: string,
      _ns: string,
      _name: string,
      change: { data: Record<string, string | null> },
    ) => {
      patches.push(change);
      for (const [key, value] of Object.entries(change.data)) {
        if (value === null) data = Object.fromEntries(Object.entries(data).filter(([one]) => one !== key));
        else data = { ...data, [key]: Buffer.from(value, 'base64').toString() };
      }
      return Promise.resolve({});
    },
  } as unknown as KubernetesAccess;
  const ports: RotatePorts = {
    ...{ access, signal, report: () => undefined, now: () => 0, randomPassword: () => 'fresh' },
    delay: () => {
      taken = { ...data };
      return Promise.resolve();
    },
    tryPassword: (_, password) =>
      Promise.resolve(Object.values(taken).includes(password) ? 'accepted' : 'refused'),
  };
  return { ports, patches, secret: () => data };
}

test('the old password stays in the Secret until every server takes the new one, and is refused in the end', async () => {
  const { ports, patches, secret } = world({ password: 'old' });
  const { outcome } = await runRotation(plan, ports);
  assert.equal(outcome, 'done');
  assert.deepEqual(secret(), { password: 'fresh' });
  assert.equal(patches.length, 2);
  assert.match(JSON.stringify(patches[0]), /"resourceVersion":"7"/);
  for (const patch of patches) assert.match(JSON.stringify(patch), /"uid":"u"/);
});

test('stopped half way it says so, and run again it goes on with the passwords that are there', async () => {
  const abort = new AbortController();
  const first = world({ password: 'old' }, abort.signal);
  abort.abort();
  const stopped = await runRotation(plan, first.ports);
  assert.equal(stopped.outcome, 'cancelled');
  assert.match(stopped.message, /Run it again to resume/);
  assert.deepEqual(first.secret(), { password: 'fresh', 'previous-password': 'old' });
  const second = world({ ...first.secret() });
  assert.equal((await runRotation({ ...plan, goesOn: true }, second.ports)).outcome, 'done');
  assert.deepEqual(second.secret(), { password: 'fresh' });
});
