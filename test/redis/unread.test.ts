import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { check, isSound } from '../../src/checks/check.ts';
import { Inventory } from '../../src/inventory/inventory.ts';
import { isUnread } from '../../src/model/unread.ts';
import { connectNode, readNodeView } from '../../src/redis/entry.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';

const times = { connectTimeoutMs: 2_500, commandTimeoutMs: 2_500 };
let cluster: TestCluster;
let password: string | undefined;
let inventory: Inventory;

before(async () => {
  cluster = await startRedisCluster({ password: 'right' });
  inventory = new Inventory({
    redis: () =>
      Promise.resolve({
        connectNode: (endpoint, credentials) => connectNode(endpoint, credentials, times),
        connectPatiently: (endpoint, credentials) => connectNode(endpoint, credentials, times),
        readNodeView,
      }),
    addressSource: (ref) => ({
      ...{ ref, name: 'test', sandbox: false },
      credentials: () => Promise.resolve(password === undefined ? {} : { password }),
    }),
  });
});
after(async () => {
  inventory.dispose();
  await cluster.stop();
});

test('servers that ask for a password are not read, not healthy, and refuse every change with that reason', async () => {
  const ref = { addresses: cluster.addresses };
  for (const wrong of [undefined, 'wrong']) {
    password = wrong;
    const snapshot = await inventory.look(ref);
    assert.ok(isUnread(snapshot));
    const findings = check(snapshot);
    assert.equal(isSound(findings), false);
    const why = wrong === undefined ? 'require a password' : 'reject the user name and password';
    assert.equal(findings[0]?.message, `Cannot be read: the servers ${why}.`);
    assert.match(
      findings[0].evidence.join(' '),
      wrong === undefined ? /requires a password/ : /rejected the user name/,
    );
    for (const changing of [inventory.fresh(ref), inventory.dialer(ref)]) {
      await assert.rejects(changing, {
        reason: 'sign-in-needed',
        message: new RegExp(`${why}.*Nothing was changed`),
      });
    }
  }
  password = 'right';
  const snapshot = await inventory.fresh(ref);
  assert.deepEqual([snapshot.nodes.length, check(snapshot)], [6, []]);
});

test('a reading of servers that are all gone says that they were not reached', async () => {
  const ref = { addresses: ['127.0.0.1:1'] };
  const [finding] = check(await inventory.look(ref));
  assert.equal(finding?.message, 'Cannot be read: the servers could not be reached.');
  await assert.rejects(inventory.fresh(ref), {
    reason: 'unreachable',
    message: /127\.0\.0\.1:1.*ECONNREFUSED/,
  });
});
