import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OwnerChains } from '../../../src/inventory/ownerChains.ts';
import type { Candidate, KubernetesObject } from '../../../src/kubernetes/kubernetesAccess.ts';
import { UserError } from '../../../src/model/errors.ts';

const apiVersion = 'shops/v1';
const candidate = (name: string, kind = 'Node'): Candidate => ({
  namespace: 'ns',
  workload: { kind: 'StatefulSet', name, replicas: 1, readyReplicas: 1, bundled: false },
  owner: { apiVersion, kind, name },
  pods: [],
});

/** An API in which each Node belongs to the Shop called after its first letter; what it was asked for is kept. */
function world(): {
  readonly chains: OwnerChains;
  readonly asked: string[];
  now: number;
  refusal: UserError['reason'] | undefined;
} {
  const asked: string[] = [];
  const state = { asked, now: 0, refusal: undefined as UserError['reason'] | undefined };
  const get = (_version: string, kind: string, _namespace: string | undefined, name: string) => {
    asked.push(`${kind}/${name}`);
    if (kind === 'Shop' && state.refusal !== undefined)
      return Promise.reject(new UserError(state.refusal, 'no'));
    const owner = { apiVersion, kind: 'Shop', name: name.slice(0, 1), controller: true };
    const ownerReferences = kind === 'Node' ? [owner] : [];
    return Promise.resolve({ apiVersion, kind, metadata: { name, ownerReferences } } as KubernetesObject);
  };
  return Object.assign(state, { chains: new OwnerChains({ get }, () => state.now) });
}

test('each owner is read once for all that it owns, and again only after minutes', async () => {
  const all = ['a0', 'a1', 'b0'].map((name) => candidate(name));
  const one = world();
  await one.chains.read(all);
  assert.deepEqual(
    all.map((each) => one.chains.of(each)),
    [
      ['Node/a0', 'Shop/a'],
      ['Node/a1', 'Shop/a'],
      ['Node/b0', 'Shop/b'],
    ],
  );
  assert.equal(one.asked.length, 5);
  await one.chains.read(all);
  assert.equal(one.asked.length, 5);
  one.now += 600_000;
  await one.chains.read(all);
  assert.equal(one.asked.length, 10);
});

test('what may not be read ends the chain, and an API that does not answer is asked again soon', async () => {
  const all = ['a0', 'a1'].map((name) => candidate(name));
  const one = world();
  one.refusal = 'forbidden';
  await one.chains.read(all);
  assert.deepEqual(one.chains.of(candidate('a0')), ['Node/a0', 'Shop/a']);
  one.now += 6_000;
  await one.chains.read(all);
  assert.equal(one.asked.length, 3);
  const other = world();
  other.refusal = 'unreachable';
  await other.chains.read(all);
  other.now += 6_000;
  await other.chains.read(all);
  assert.deepEqual(other.asked.slice(3), ['Shop/a']);
});

test('a workload that is alone in its namespace has nothing to be joined with', async () => {
  const one = world();
  await one.chains.read([candidate('a0'), { ...candidate('b0'), namespace: 'other' }]);
  assert.deepEqual(one.asked, []);
});
