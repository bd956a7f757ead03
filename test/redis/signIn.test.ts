import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { check, isSound } from '../../src/checks/check.ts';
import type { Inventory } from '../../src/inventory/inventory.ts';
import { countSlots } from '../../src/model/slots.ts';
import { isUnread, unreadEvidence, unreadGroups, whyUnread } from '../../src/model/unread.ts';
import { refuseDenied } from '../../src/operations/refusals/refuseDenied.ts';
import { planReshard } from '../../src/operations/reshard.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import { withConnection } from '../../src/operations/servers/withConnection.ts';
import type { Credentials, NodeConnection } from '../../src/redis/nodeConnection.ts';
import * as redis from '../../src/redis/entry.ts';
import { startServers } from '../../src/sandbox/servers.ts';
import { slotMapState } from '../../src/ui/panels/slotMap/slotMapState.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { connectSoon, readByAddress, readUntil } from '../support/redis/byAddress.ts';
import { runPorts } from '../support/redis/runPorts.ts';
import { startTlsCluster } from '../support/redis/tlsCluster.ts';

let given: Credentials = {};
let inventory: Inventory;
let plainDials = 0;
const connect: typeof connectSoon = (endpoint, credentials) => {
  if (credentials.tls === undefined) plainDials++;
  return connectSoon(endpoint, credentials);
};
before(() => {
  inventory = readByAddress(() => given, connect);
});
after(() => {
  inventory.dispose();
});

/** What the servers of a cluster that cannot be read say. */
async function whyNot(ref: { addresses: readonly string[] }): Promise<string> {
  const snapshot = await inventory.look(ref);
  assert.ok(isUnread(snapshot));
  return unreadGroups(snapshot).flatMap(unreadEvidence).join('\n');
}

describe('servers that are reached over TLS only, with a client certificate and as another user', () => {
  let cluster: Awaited<ReturnType<typeof startTlsCluster>>;
  let ref: { addresses: readonly string[] };
  before(async () => {
    cluster = await startTlsCluster('opens-it');
    ref = { addresses: cluster.addresses.slice(0, 1) };
  });
  after(() => cluster.stop());

  test('say step by step what is missing, and are not dialled in plain text again', async () => {
    const { username, password, tls } = cluster.credentials;
    given = {};
    for (let time = 0; time < 3; time++)
      assert.match(await whyNot(ref), /certificate of Redis was rejected: (?:self-signed|unable)/);
    assert.equal(plainDials, 1);
    const trusted = { ca: tls.ca ?? '' };
    const cases: readonly [Credentials, RegExp, string][] = [
      [{ username, password, tls: trusted }, /requires a client certificate/, 'tls'],
      [{ username, password, tls: { ...tls, ca: cluster.foreignAuthority } }, /was rejected/, 'tls'],
      [{ username, password, tls: { ...tls, serverName: 'other.example' } }, /other\.example/, 'tls'],
      [{ tls }, /requires a password/, 'sign-in-needed'],
      [{ username, password: 'wrong', tls }, /rejected the user name and password/, 'sign-in-needed'],
    ];
    for (const [credentials, message, reason] of cases)
      await assert.rejects(inventory.trySignIn(ref, credentials), { message, reason });
    await inventory.trySignIn(ref, cluster.credentials);
    await inventory.trySignIn(ref, { username, password, tls: { ...tls, serverName: '' } });
  });

  test('are read, checked, drawn and resharded after signing in', async () => {
    given = cluster.credentials;
    await inventory.reconnect(ref);
    const snapshot = await inventory.fresh(ref);
    assert.deepEqual(
      [snapshot.nodes.length, snapshot.nodes.filter(({ health }) => health === 'ok').length],
      [4, 4],
    );
    assert.ok(isSound(check(snapshot)));
    assert.equal(slotMapState(snapshot).shards.length, 2);
    const dialer = await inventory.dialer(ref);
    assert.deepEqual(dialer.credentials, cluster.credentials);
    const [source, target] = snapshot.nodes.filter(({ role }) => role === 'master');
    assert.ok(source !== undefined && target !== undefined);
    await withConnection({ dialer }, source.id, async (connection) => {
      for (let key = 0; key < 200; key++)
        await connection.call('SET', `{${key}}`, 'x').catch((error: unknown) => {
          assert.match(String(error), /MOVED/);
        });
    });
    const result = await runPlan(planReshard(snapshot, { from: [source.id], to: target.id, slots: 300 }), {
      ...{ dialer, redis, report: () => undefined, signal: AbortSignal.timeout(60_000) },
      readSnapshot: () => inventory.fresh(ref),
      now: () => performance.now(),
      delay: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }).catch(() => undefined),
    });
    assert.deepEqual([result.movedSlots, result.movedKeys > 0], [300, true]);
    const after = await inventory.fresh(ref);
    const owned = after.nodes.find(({ id }) => id === target.id)?.slots ?? [];
    assert.equal(countSlots(owned), 8192 + 300);
  });
});

describe('servers that allow a user only a part', () => {
  let cluster: TestCluster;
  let ref: { addresses: readonly string[] };
  const allow = async (...rules: readonly string[]): Promise<void> => {
    for (const { id } of cluster.nodes)
      await withConnection(cluster, id, (connection) =>
        connection.call('ACL', 'SETUSER', 'part', 'reset', 'on', '>part', ...rules),
      );
    given = { username: 'part', password: 'part' };
    await inventory.reconnect(ref);
  };
  before(async () => {
    cluster = await startRedisCluster();
    ref = { addresses: cluster.addresses };
  });
  after(() => cluster.stop());

  test('are shown without what INFO says, with the reason, and not changed', async () => {
    await allow('+cluster|nodes', '+cluster|myid', '+ping');
    const snapshot = await inventory.fresh(ref);
    assert.deepEqual(snapshot.nodes.map(({ role, health }) => `${role} ${health}`).sort(), [
      'master ok',
      'master ok',
      'master ok',
      'replica ok',
      'replica ok',
      'replica ok',
    ]);
    const findings = check(snapshot);
    assert.deepEqual(
      findings.map(({ rule, severity }) => [rule, severity]),
      [['denied', 'warning']],
    );
    assert.match(
      findings[0]?.message ?? '',
      /^Denied on all nodes: CLUSTER INFO, INFO\. Unknown: cluster state, keys, memory, replication, version\.$/,
    );
    assert.match(findings[0]?.evidence.join(' ') ?? '', /NOPERM/);
    assert.throws(() => {
      refuseDenied(snapshot);
    }, /may not run CLUSTER INFO .*, INFO .*Nothing was changed/);
    const dialer = await inventory.dialer(ref);
    const [id = ''] = snapshot.nodes.map((node) => node.id);
    await withConnection({ dialer }, id, (connection) =>
      assert.rejects(redis.readNodeView(connection), {
        reason: 'forbidden',
        message: /CLUSTER INFO is denied/,
      }),
    );
  });

  test('are named with the command where not even the nodes may be listed', async () => {
    await allow('+info', '+ping');
    assert.match(await whyNot(ref), /CLUSTER NODES is denied, which reports nodes, roles, slots: NOPERM/);
    const [finding] = check(await inventory.look(ref));
    assert.equal(finding?.message, 'Cannot be read: the servers deny a command that reading needs.');
    await assert.rejects(inventory.trySignIn(ref, given), { reason: 'forbidden', message: /CLUSTER NODES/ });
  });

  test('name the command that a change was stopped by, and leave everything as it was', async () => {
    await allow('~*', '&*', '+@all', '-cluster|setslot');
    const snapshot = await inventory.fresh(ref);
    const [from, to] = snapshot.nodes.filter(({ role }) => role === 'master');
    assert.ok(from && to);
    const plan = planReshard(snapshot, { from: [from.id], to: to.id, slots: 5 });
    const ports = runPorts(cluster, {
      dialer: await inventory.dialer(ref),
      readSnapshot: () => inventory.fresh(ref),
    });
    await assert.rejects(runPlan(plan, ports), {
      message:
        /\(SETSLOT\): NOPERM.*No slot was moved\. Still open: none\..*Allow the user to run that command, or sign in/,
    });
  });

  test('are told from those that reject the user, as after it was deleted while it was signed in', async () => {
    await allow('+@all');
    const readers = inventory.need({ ref });
    await readUntil(inventory, ref, 'that they are read', (read) => !isUnread(read));
    for (const { id } of cluster.nodes)
      await withConnection(cluster, id, (connection) => connection.call('ACL', 'DELUSER', 'part'));
    let after = await inventory.look(ref);
    for (const end = Date.now() + 20_000; whyUnread(after) === 'the servers could not be reached';) {
      assert.ok(Date.now() < end);
      await sleep(200);
      after = await inventory.look(ref);
    }
    readers();
    assert.equal(whyUnread(after), 'the servers reject the user name and password');
    await assert.rejects(inventory.trySignIn(ref, given), { reason: 'sign-in-needed' });
  });

  test('or that do not speak TLS, which answer a greeting of TLS with nothing', async () => {
    given = {};
    await assert.rejects(inventory.trySignIn(ref, { tls: {} }), {
      reason: 'tls',
      message: /does not use TLS on this port/,
    });
  });
});

test('a command that is renamed is named, and nothing that was sent with it is quoted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'renamed-'));
  const program = join(folder, 'renamed-server');
  await writeFile(program, '#!/bin/sh\nexec redis-server "$@" --rename-command INFO other\n', {
    mode: 0o755,
  });
  const running = await startServers({ program, folder: join(folder, 'servers'), count: 1 });
  try {
    const [server] = running.servers;
    assert.ok(server !== undefined);
    const connection = await connectSoon(server, {});
    await assert.rejects(redis.readNodeView(connection), {
      message: /^INFO is denied, which reports keys, .*: ERR unknown command/,
    });
    const view = await redis.readNodeView(connection, { evenPartly: true });
    assert.deepEqual(
      view.denied?.map(({ command }) => command),
      ['INFO'],
    );
    await assert.rejects(connection.call('NOSUCH', 'planted'), (error) => !String(error).includes('planted'));
    connection.close();
  } finally {
    await running.stop();
  }
});

test('what a server says before it hangs up reaches the user', async () => {
  const cluster = await startRedisCluster({ masters: 0, spares: 1 });
  try {
    const [node] = cluster.nodes;
    assert.ok(node !== undefined);
    await withConnection(cluster, node.id, (connection) => connection.call('CONFIG', 'SET', 'maxclients', 1));
    let held: NodeConnection | undefined;
    while (held === undefined) held = await connectSoon(node, {}).catch(() => undefined);
    for (const credentials of [{}, { password: 'x' }, { tls: {} }])
      await assert.rejects(connectSoon(node, credentials), {
        reason: 'tls' in credentials ? 'tls' : 'unreachable',
        message:
          'tls' in credentials ? /does not use TLS/ : /refused the connection: ERR max number of clients/,
      });
    held.close();
  } finally {
    await cluster.stop();
  }
  const words = '-DENIED Redis is running in protected mode because protected mode is enabled.\r\n';
  const guarded = createServer((socket) => {
    socket.on('error', () => undefined).end(words);
  });
  await once(guarded.listen(0, '127.0.0.1'), 'listening');
  const address = guarded.address();
  assert.ok(typeof address === 'object' && address !== null);
  await assert.rejects(connectSoon({ host: '127.0.0.1', port: address.port }, {}), {
    reason: 'unreachable',
    message: /refused the connection: DENIED Redis is running in protected mode/,
  });
  guarded.close();
});
