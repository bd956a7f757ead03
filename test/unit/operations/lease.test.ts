import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubernetesAccess } from '../../../src/kubernetes/kubernetesAccess.ts';
import { UserError } from '../../../src/model/errors.ts';
import { leaseWarning, withLease, type Claim, type LeasePorts } from '../../../src/operations/run/lease.ts';

interface Lease {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly spec: { readonly holderIdentity: string; readonly renewTime: string };
}

const ref = { context: 'test', namespace: 'shop', name: 'cart' };
const claimOf = (holder: string, title = `Work of ${holder}`): Claim => ({
  ref,
  holder,
  title,
  operation: 'reshard',
});

/** An API server with one Lease at most, whose time goes on when somebody waits. */
function world(may: readonly string[] = ['get', 'create', 'patch', 'delete']) {
  const state: { lease: Lease | undefined; time: number; version: number; reachable: boolean } = {
    ...{ lease: undefined, time: Date.parse('2030-01-01T00:00:00Z'), version: 0, reachable: true },
  };
  const answer = async (verb: string): Promise<undefined> => {
    await Promise.resolve();
    if (!may.includes(verb)) throw new UserError('forbidden', `no ${verb}`);
    if (!state.reachable) throw new UserError('unreachable', 'the API does not answer');
    return undefined;
  };
  const store = (object: unknown): Lease => {
    const { metadata, spec } = object as Lease;
    state.version += 1;
    state.lease = { metadata: { ...metadata, resourceVersion: String(state.version) }, spec };
    return state.lease;
  };
  const access = {
    may: (verb: string) => Promise.resolve(may.includes(verb)),
    get: () => answer('get').then(() => state.lease),
    create: async (object: unknown) => {
      await answer('create');
      if (state.lease !== undefined) throw new UserError('conflict', 'there');
      store(object);
    },
    patch: async (_v: string, _k: string, _ns: string, name: string, change: unknown) => {
      await answer('patch');
      const { metadata, spec } = change as Partial<Lease>;
      const same =
        metadata === undefined || metadata.resourceVersion === state.lease?.metadata.resourceVersion;
      if (state.lease === undefined || !same) throw new UserError('conflict', 'changed');
      return store({
        metadata: { ...state.lease.metadata, ...metadata, name },
        spec: { ...state.lease.spec, ...spec },
      });
    },
    delete: async () => {
      await answer('delete');
      state.lease = undefined;
      return true;
    },
  } as unknown as KubernetesAccess;
  const ports: LeasePorts = {
    ...{ access, signal: new AbortController().signal, clock: () => state.time },
    delay: async (milliseconds, signal) => {
      await new Promise(setImmediate);
      if (!signal.aborted) state.time += milliseconds;
    },
  };
  return { state, ports, store };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
}

test('a claim is there while the work goes on, is renewed, and is gone afterwards', async () => {
  const { state, ports } = world();
  const result = await withLease(ports, claimOf('ann'), async () => {
    assert.equal(state.lease?.spec.holderIdentity, 'ann');
    assert.equal(state.lease.metadata.name, 'redis-cluster-cart-operation');
    const before = state.lease.spec.renewTime;
    assert.match(before, /^2030-01-01T00:00:00\.000000Z$/);
    await turns(20);
    assert.notEqual(state.lease.spec.renewTime, before);
    return 7;
  });
  assert.equal(result, 7);
  assert.equal(state.lease, undefined);
});

test('a second operation is refused by name while the first is alive', async () => {
  const { ports } = world();
  await withLease(ports, claimOf('ann', 'Reshard 5 slots'), async () => {
    await assert.rejects(
      withLease(ports, claimOf('bob'), () => Promise.resolve()),
      (error) => {
        assert.ok(error instanceof UserError && error.reason === 'busy');
        assert.match(error.message, /^"Reshard 5 slots" is being run on cart .* by ann/);
        return true;
      },
    );
  });
});

test('a claim that its dead holder left is taken over, after watching whether it is renewed', async () => {
  const { state, ports, store } = world();
  store({
    metadata: { name: 'x' },
    spec: { holderIdentity: 'ann', renewTime: '2029-12-31T23:00:00.000000Z' },
  });
  const before = state.time;
  await withLease(ports, claimOf('bob'), () => {
    assert.ok(state.time - before > 10_000);
    assert.equal(state.lease?.spec.holderIdentity, 'bob');
    return Promise.resolve();
  });
});

test('a holder whose clock is an hour behind is not taken for dead', async () => {
  const { ports, store } = world();
  const write = (minute: string) =>
    store({
      metadata: { name: 'x' },
      spec: { holderIdentity: 'ann', renewTime: `2029-12-31T23:${minute}:00.000000Z` },
    });
  write('00');
  const watching: LeasePorts = {
    ...ports,
    delay: (milliseconds, signal) => {
      write('01');
      return ports.delay(milliseconds, signal);
    },
  };
  await assert.rejects(
    withLease(watching, claimOf('bob'), () => Promise.resolve()),
    /by ann/,
  );
});

test('who lost the claim while the API was out of reach is stopped and told', async () => {
  const { state, ports, store } = world();
  const work = withLease(ports, claimOf('ann'), async (signal) => {
    state.reachable = false;
    await turns(10);
    assert.equal(signal.aborted, false);
    store({
      metadata: { name: 'x' },
      spec: { holderIdentity: 'bob', renewTime: '2030-01-01T01:00:00.000000Z' },
    });
    state.reachable = true;
    await turns(20);
    assert.equal(signal.aborted, true);
  });
  await assert.rejects(work, /was stopped at a safe point: someone else claimed cart/);
  assert.equal(state.lease?.spec.holderIdentity, 'bob');
});

test('without the rights there is a warning and no claim; without the right to delete it is emptied', async () => {
  const { ports: poor, state } = world(['get']);
  assert.match(
    (await leaseWarning(poor.access, 'shop')).join(),
    /^You are not allowed to create, patch leases in namespace shop/,
  );
  assert.equal(await withLease(poor, claimOf('ann'), () => Promise.resolve(1)), 1);
  assert.equal(state.lease, undefined);
  const { ports, state: kept } = world(['get', 'create', 'patch']);
  assert.deepEqual(await leaseWarning(ports.access, 'shop'), []);
  await withLease(ports, claimOf('ann'), () => Promise.resolve());
  assert.equal(kept.lease?.spec.holderIdentity, '');
  await withLease(ports, claimOf('bob'), () => Promise.resolve());
});
