import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keySlot } from '../../src/model/keySlot.ts';
import { eachSlot } from '../../src/model/slots.ts';
import { lookForLargeKeys, type LargeKey } from '../../src/redis/moveSlots/bigKeys.ts';
import type { NodeConnection } from '../../src/redis/nodeConnection.ts';
import { startRedisCluster } from '../support/startRedisCluster.ts';
import { keyIn, nodeAt, viewOf } from '../support/redis/moveFixture.ts';

const slots = [[0, 400]] as const;
const longestMs = 100;

test('large keys are found alike on a replica and on the source, with scripts and without', async () => {
  const cluster = await startRedisCluster();
  const opened: NodeConnection[] = [];
  const dial = async (id: string): Promise<NodeConnection> => {
    const connection = await cluster.dialer.dial(id);
    opened.push(connection);
    return connection;
  };
  try {
    const source = nodeAt(cluster, 0);
    const connection = await dial(source.id);
    const [hash, text, small] = [
      keyIn('hash', [[5, 9]]),
      keyIn('text', [[20, 29]]),
      keyIn('small', [[30, 39]]),
    ];
    const fields = `for i=1,40000 do redis.call('HSET',KEYS[1],'field:'..i,'value of '..i) end`;
    await connection.call('EVAL', fields, 1, hash);
    await connection.call('SET', text, Buffer.alloc(3_000_000, 'x'));
    await connection.call('SET', small, 'x');
    // More keys in one slot than one script looks at, and a large one among them.
    const crowd = keyIn('crowd', [[100, 400]]);
    const many = `for i=1,6000 do redis.call('SET','{'..KEYS[1]..'}'..i,i) end`;
    await connection.call('EVAL', many, 1, crowd);
    await connection.call('EVAL', fields, 1, `{${crowd}}hash`);
    assert.equal(await connection.call('WAIT', 1, 10_000), 1);

    const view = await viewOf(cluster, source);
    const withoutReplica = { ...view, others: view.others.filter(({ masterId }) => masterId !== source.id) };
    // Of fewer bytes only hashes, sets and sorted sets can be too big.
    const usedMemoryBytes = 1_000_000;
    const look = async (known: typeof view): Promise<readonly LargeKey[]> => {
      const found = await lookForLargeKeys({ source: connection, dial }, known, slots, longestMs);
      return await found.in([...eachSlot(slots)]);
    };
    const named = (keys: readonly LargeKey[]): unknown =>
      keys.map(({ key, slot, elements }) => [key.toString(), slot, elements]).sort();
    const hashes = [
      [hash, keySlot(hash), 40_000],
      [`{${crowd}}hash`, keySlot(crowd), 40_000],
    ];
    const all = [...hashes, [text, keySlot(text), 1]].sort();
    const replica = view.others.find(({ masterId }) => masterId === source.id);
    const onReplica = await dial(replica?.id ?? '');
    for (const [server, known] of [
      [onReplica, view],
      [connection, withoutReplica],
    ] as const) {
      await server.call('CONFIG', 'RESETSTAT');
      assert.deepEqual(named(await look(known)), all);
      // It was a script that looked, and none failed.
      assert.match(
        String(await server.call('INFO', 'commandstats')),
        /cmdstat_eval:calls=\d.*,failed_calls=0\r/,
      );
    }
    assert.deepEqual(named(await look({ ...withoutReplica, usedMemoryBytes })), hashes.sort());

    for (const server of [connection, onReplica])
      await server.call('ACL', 'SETUSER', 'default', '-@scripting');
    assert.deepEqual(named(await look(view)), all);
    assert.deepEqual(named(await look(withoutReplica)), all);
  } finally {
    for (const connection of opened) connection.close();
    await cluster.stop();
  }
});
