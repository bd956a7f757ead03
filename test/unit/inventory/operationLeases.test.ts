import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperationLeases } from '../../../src/inventory/operationLeases.ts';
import { pace } from '../../../src/inventory/pace.ts';
import type { KubernetesAccess } from '../../../src/kubernetes/kubernetesAccess.ts';
import { UserError } from '../../../src/model/errors.ts';

const start = Date.parse('2030-01-01T00:00:00Z');

/** An API with one Lease at most, whose requests are counted. */
function world(may: readonly string[] = ['list', 'get']) {
  const state = { now: start, asked: [] as string[], lease: undefined as object | undefined };
  const answer = <T>(verb: string, value: T): Promise<T> => {
    state.asked.push(verb);
    return may.includes(verb)
      ? Promise.resolve(value)
      : Promise.reject(new UserError('forbidden', `no ${verb}`));
  };
  const access = {
    list: () => answer('list', state.lease === undefined ? [] : [state.lease]),
    get: () => answer('get', state.lease),
  } as unknown as KubernetesAccess;
  const leases = new OperationLeases(access, () => state.now);
  return {
    state,
    hold: (renewTime: number, holderIdentity = 'ann on ci-3', leaseDurationSeconds = 30) => {
      state.lease = {
        metadata: {
          name: 'redis-cluster-cart-operation',
          annotations: { 'redis-cluster/operation': 'Reshard 9 slots', 'redis-cluster/command': 'reshard' },
        },
        spec: { holderIdentity, leaseDurationSeconds, renewTime: new Date(renewTime).toISOString() },
      };
    },
    read: (seconds = 0, now = true) => {
      state.now += seconds * 1000;
      return leases.read(new Map([['shop', ['cart']]]), now);
    },
    running: () => leases.on('shop', 'cart'),
  };
}

test('an operation that a Lease names runs, and just ended for a few seconds once the Lease is gone', async () => {
  const { state, hold, read, running } = world();
  await read();
  assert.equal(running(), undefined);
  hold(start);
  await read(1);
  const work = { title: 'Reshard 9 slots', holder: 'ann on ci-3', operation: 'reshard' };
  assert.deepEqual(running(), work);
  state.lease = undefined;
  await read(1);
  assert.deepEqual(running(), { ...work, ended: true });
  await read(pace.settlesMs / 1000 + 1);
  assert.equal(running(), undefined);
});

test('a Lease that was not renewed in time explains nothing, whatever the clocks of its holder say', async () => {
  const dead = world();
  dead.hold(start - 31_000);
  await dead.read();
  assert.equal(dead.running(), undefined);
  const ahead = world();
  ahead.hold(start + 3_600_000);
  await ahead.read();
  assert.equal(ahead.running(), undefined, 'a time to come proves nothing');
  ahead.hold(start + 3_610_000);
  await ahead.read(10);
  assert.equal(ahead.running()?.operation, 'reshard', 'but a renewal does');
  await ahead.read(31);
  assert.equal(ahead.running(), undefined, 'it died');
  const released = world();
  released.hold(start, '');
  await released.read();
  assert.equal(released.running(), undefined);
});

test('Leases are asked for every two seconds at most, and rarely where they may not be read', async () => {
  const { state, hold, read, running } = world();
  await read(0, false);
  await read(1, false);
  assert.deepEqual(state.asked, ['list']);
  await read(1, false);
  assert.deepEqual(state.asked, ['list', 'list']);
  hold(start);
  const getOnly = world(['get']);
  getOnly.hold(start);
  await getOnly.read();
  assert.equal(getOnly.running()?.title, 'Reshard 9 slots');
  await getOnly.read(3);
  assert.deepEqual(getOnly.state.asked, ['list', 'get', 'get']);
  const none = world([]);
  await none.read();
  await none.read(3);
  await none.read(30);
  assert.deepEqual(none.state.asked, ['list', 'get']);
  assert.equal(running(), undefined);
});

test('a Lease of years that nobody renews explains nothing after a minute', async () => {
  const { hold, read, running } = world();
  hold(start, 'somebody', 1_000_000_000);
  await read(1);
  assert.ok(running());
  await read(61);
  assert.equal(running(), undefined);
});
