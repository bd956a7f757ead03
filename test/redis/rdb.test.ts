import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { UserError } from '../../src/model/errors.ts';
import { connectNode } from '../../src/redis/connect.ts';
import type { NodeConnection } from '../../src/redis/nodeConnection.ts';
import { restorePayload } from '../../src/redis/rdb/restorePayload.ts';
import { RdbReader, type RdbEntry } from '../../src/redis/rdb/rdbReader.ts';
import { RdbSum } from '../../src/redis/rdb/rdbSum.ts';
import { scanRdb } from '../../src/redis/rdb/scanRdb.ts';
import { valueDigest } from '../../src/redis/rdb/valueDigest.ts';
import { receiveRdb } from '../../src/redis/rdb/receiveRdb.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { everyKind } from '../support/redis/everyKind.ts';

const times = { connectTimeoutMs: 5_000, commandTimeoutMs: 30_000 };

/** What a lone server holds, as it sends it. */
async function sent(cluster: TestCluster): Promise<readonly Buffer[]> {
  const pieces: Buffer[] = [];
  for await (const piece of receiveRdb(await dial(cluster), 'the server')) pieces.push(Buffer.from(piece));
  return pieces;
}

function dial({ nodes: [node] }: TestCluster): Promise<NodeConnection> {
  assert.ok(node);
  return connectNode(node, {}, times);
}

function read(pieces: readonly Buffer[]): {
  readonly reader: RdbReader;
  readonly entries: readonly RdbEntry[];
} {
  const reader = new RdbReader('the file');
  const entries = [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()];
  return { reader, entries };
}

for (const version of ['7.0', 'redisNewest', 'valkeyNewest'] as const) {
  describe(`what servers of ${version} send`, { timeout: 120_000 }, () => {
    test('every value is what DUMP gives, whatever pieces it comes in', async () => {
      await using stack = new AsyncDisposableStack();
      const cluster = await startRedisCluster({
        ...{ masters: 1, replicasPerMaster: 0 },
        ...(version === '7.0' ? {} : { version }),
        config: { 'repl-diskless-sync-delay': '0', 'maxmemory-policy': 'allkeys-lfu' },
      });
      stack.defer(() => cluster.stop());
      const connection = await dial(cluster);
      stack.defer(() => {
        connection.close();
      });
      for (const write of everyKind(version)) await connection.call(...write);
      const pieces = await sent(cluster);
      const { reader, entries } = read(pieces);
      const keys = entries.filter((entry) => entry.kind === 'key');
      assert.equal(keys.length, await connection.call('DBSIZE'));
      assert.equal(entries.length - keys.length, 1, 'the library of functions');
      const { header } = reader;
      assert.ok(header);
      for (const { key, value, expiresAt } of keys) {
        const dump = (await connection.callBuffer('DUMP', key)) as Buffer;
        assert.ok(restorePayload(value, header.version).equals(dump), key.toString());
        if (key.toString() === 'expiring') assert.equal(expiresAt, await connection.call('PEXPIRETIME', key));
        await connection.call('RESTORE', key, expiresAt ?? 0, dump, 'REPLACE', 'ABSTTL');
      }
      const whole = Buffer.concat(pieces);
      const sum = new RdbSum();
      for (let at = 0; at < whole.length; at += 7_777) sum.add(whole.subarray(at, at + 7_777));
      assert.ok(sum.isRight());
      // The same in pieces that end anywhere.
      const small: Buffer[] = [];
      for (let at = 0; at < whole.length; at += 1_013) small.push(whole.subarray(at, at + 1_013));
      assert.deepEqual(
        read(small).entries.map((entry) =>
          (entry.kind === 'key' ? entry.key : entry.code).toString('latin1'),
        ),
        entries.map((entry) => (entry.kind === 'key' ? entry.key : entry.code).toString('latin1')),
      );
    });

    test('a value has the same digest however it is packed, and another one as soon as a part differs', async () => {
      await using stack = new AsyncDisposableStack();
      const cluster = await startRedisCluster({
        ...{ masters: 1, replicasPerMaster: 0 },
        ...(version === '7.0' ? {} : { version }),
      });
      stack.defer(() => cluster.stop());
      const connection = await dial(cluster);
      stack.defer(() => {
        connection.close();
      });
      for (const write of everyKind(version)) await connection.call(...write);
      const family = version === 'valkeyNewest' ? 'valkey' : 'redis';
      const keys = (await connection.callBuffer('KEYS', '*')) as Buffer[];
      const dumped = async (key: Buffer): Promise<{ readonly dump: Buffer; readonly digest: string }> => {
        const dump = (await connection.callBuffer('DUMP', key)) as Buffer;
        const digest = valueDigest(dump, family)?.digest;
        assert.ok(digest !== undefined, key.toString());
        return { dump, digest };
      };
      const before = await Promise.all(keys.map(dumped));
      assert.equal(new Set(before.map(({ digest }) => digest)).size > 100, true);
      for (const setting of [
        'hash-max-listpack-entries 0',
        'zset-max-listpack-entries 0',
        'set-max-intset-entries 0',
        'list-max-listpack-size 1',
        ...(version === '7.0' ? [] : ['set-max-listpack-entries 0']),
      ])
        await connection.call('CONFIG', 'SET', ...setting.split(' '));
      let repacked = 0;
      for (const [index, key] of keys.entries()) {
        const { dump, digest } = before[index] ?? assert.fail();
        await connection.call('RESTORE', key, 0, dump, 'REPLACE');
        const now = await dumped(key);
        assert.equal(now.digest, digest, key.toString());
        if (!now.dump.equals(dump)) repacked += 1;
      }
      assert.ok(repacked >= 4, String(repacked));
      for (const change of [
        ['SET', 'integer', '12346'],
        ['RPUSH', 'list', 'more'],
        ['LSET', 'list short', '0', 'b'],
        ['SREM', 'set', 'member 1'],
        ['ZINCRBY', 'sorted', '0.5', 'member 3'],
        ['HSET', 'hash', 'field 5', 'another'],
        ['XADD', 'stream', '*', 'a', 'b'],
        ['XACK', 'stream', 'group', '2-1'],
      ] as const) {
        const [, name] = change;
        const { digest } = await dumped(Buffer.from(name));
        await connection.call(...change);
        assert.notEqual((await dumped(Buffer.from(name))).digest, digest, change.join(' '));
      }
    });

    test('its file is refused wherever it is cut off, and with whatever bit flipped', async (context) => {
      await using stack = new AsyncDisposableStack();
      const cluster = await startRedisCluster({
        ...{ masters: 1, replicasPerMaster: 0 },
        ...(version === '7.0' ? {} : { version }),
        config: { 'repl-diskless-sync-delay': '0' },
      });
      stack.defer(() => cluster.stop());
      const connection = await dial(cluster);
      stack.defer(() => {
        connection.close();
      });
      for (const write of everyKind(version)) await connection.call(...write);
      await connection.call('DEL', 'large');
      const whole = Buffer.concat(await sent(cluster));
      const isRefused = async (bytes: Buffer): Promise<boolean> => {
        try {
          await scanRdb(Readable.from([bytes]), 'the file', Date.now());
          return false;
        } catch (error) {
          assert.ok(error instanceof UserError, String(error));
          return true;
        }
      };
      assert.equal(await isRefused(whole), false);
      const [cuts, flips] = [200, 1_000];
      for (let number = 0; number < cuts; number++) {
        const end = Math.floor((whole.length * number) / cuts);
        assert.ok(await isRefused(whole.subarray(0, end)), `cut off at byte ${end}`);
      }
      for (let number = 0; number < flips; number++) {
        const bit = Math.floor((whole.length * 8 * number) / flips) + (number % 8);
        const damaged = Buffer.from(whole);
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        assert.ok(await isRefused(damaged), `bit ${bit} flipped`);
      }
      context.diagnostic(`${whole.length} bytes`);
    });
  });
}
