import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectNode } from '../../src/redis/connect.ts';
import type { NodeConnection } from '../../src/redis/nodeConnection.ts';
import { restorePayload } from '../../src/redis/rdb/restorePayload.ts';
import { RdbReader, type RdbEntry } from '../../src/redis/rdb/rdbReader.ts';
import { RdbSum } from '../../src/redis/rdb/rdbSum.ts';
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
  });
}
