import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { keySlot } from '../../src/model/keySlot.ts';
import { hasSlot } from '../../src/model/slots.ts';
import { withConnection } from '../../src/operations/servers/withConnection.ts';
import { valueDigest } from '../../src/redis/rdb/valueDigest.ts';
import { backedUp, restored } from '../support/redis/backups.ts';
import { fill, type Write } from '../support/redis/fill.ts';
import { readSnapshot } from '../support/redis/readSnapshot.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';

const frozen = 100_000;
const counters = 2_000;

/** Keys of every type, of which every third expires. */
function* writes(): Generator<Write> {
  const later = Date.now() + 10_000_000;
  for (let number = 0; number < frozen; number++) {
    const key = Buffer.from(`frozen ${number}`);
    const text = `${number} ${'x'.repeat(number % 90)}`;
    const kinds: readonly Write[] = [
      ['SET', key, text],
      ['HSET', key, 'name', text, 'count', number],
      ['RPUSH', key, number, text],
      ['SADD', key, number, text],
      ['ZADD', key, number / 3, text],
      ['XADD', key, `${number + 1}-1`, 'field', text],
      ['SETBIT', key, number % 1000, 1],
    ];
    const kind = kinds[number % kinds.length];
    if (kind !== undefined) yield kind;
    if (number % 3 === 0) yield ['PEXPIREAT', key, later + number];
  }
}

const counter = (number: number): Buffer => Buffer.from(`counter ${number}`);

/** What each key is to its users, and when it expires; of counters, what they say. */
async function held(cluster: TestCluster): Promise<ReadonlyMap<string, string>> {
  const all = new Map<string, string>();
  for (const { id, role } of (await readSnapshot(cluster)).nodes) {
    if (role !== 'master') continue;
    await withConnection(cluster, id, async (connection) => {
      const keys = (await connection.callBuffer('KEYS', '*')) as Buffer[];
      for (let first = 0; first < keys.length; first += 1_000) {
        const some = keys.slice(first, first + 1_000);
        const replies = await connection.pipelineBuffer(
          some.flatMap((key) => [
            ['DUMP', key],
            ['PEXPIRETIME', key],
            ...(isCounter(key) ? [['GET', key]] : []),
          ]),
        );
        let at = 0;
        for (const key of some) {
          const [dump, expiry, value] = replies.slice(at);
          at += isCounter(key) ? 3 : 2;
          assert.ok(Buffer.isBuffer(dump));
          const is = isCounter(key)
            ? String(value)
            : `${valueDigest(dump, 'redis')?.digest ?? 'unknown'} ${String(expiry)}`;
          all.set(key.toString(), is);
        }
      }
    });
  }
  return all;
}

function isCounter(key: Buffer): boolean {
  return key.toString().startsWith('counter');
}

/** Counts up every counter again and again until it is told to stop; each master by a connection of its own. */
function counting(cluster: TestCluster): { readonly stop: () => Promise<number> } {
  let isOver = false;
  let writes = 0;
  const work = readSnapshot(cluster).then(({ nodes }) =>
    Promise.all(
      nodes
        .filter(({ role }) => role === 'master')
        .map(({ id, slots }) =>
          withConnection(cluster, id, async (connection) => {
            const own = Array.from({ length: counters }, (_, number) => counter(number)).filter((key) =>
              hasSlot(slots, keySlot(key)),
            );
            do {
              for (let first = 0; first < own.length && !isOver; first += 50)
                await connection.pipeline(own.slice(first, first + 50).map((key) => ['INCR', key]));
              writes += own.length;
            } while (!isOver);
          }),
        ),
    ),
  );
  return {
    stop: async () => {
      isOver = true;
      await work;
      return writes;
    },
  };
}

test(
  '100,000 keys are the same in 3, 5 and 6 masters, and what is written meanwhile is from in between',
  {
    timeout: 300_000,
  },
  async (context) => {
    await using stack = new AsyncDisposableStack();
    const parent = await mkdtemp(join(tmpdir(), 'frozen-'));
    stack.defer(() => rm(parent, { recursive: true }));
    const source = await startRedisCluster({ config: { 'repl-diskless-sync-delay': '0' } });
    stack.defer(() => source.stop());
    await fill(source, writes());
    await fill(
      source,
      Array.from({ length: counters }, (_, number): Write => ['SET', counter(number), number]),
    );
    const load = counting(source);
    const before = await held(source);
    const folder = await backedUp(source, parent, 'shop');
    const after = await held(source);
    context.diagnostic(`${await load.stop()} writes meanwhile`);
    const changed = [...before].filter(([key, value]) => after.get(key) !== value);
    assert.ok(changed.length > counters / 2 && changed.every(([key]) => key.startsWith('counter')));
    for (const masters of [3, 5, 6]) {
      const target = await startRedisCluster({ masters, replicasPerMaster: 0 });
      try {
        const { comparedValues, seconds } = await restored(target, folder, 'empty');
        const now = await held(target);
        assert.equal(now.size, frozen + counters);
        const wrong = [...now].filter(([key, value]) =>
          key.startsWith('counter')
            ? !(Number(value) >= Number(before.get(key)) && Number(value) <= Number(after.get(key)))
            : value !== before.get(key),
        );
        assert.deepEqual(wrong.slice(0, 5), []);
        context.diagnostic(
          `${masters} masters: ${seconds.toFixed(1)} s, ${comparedValues ?? 0} values compared`,
        );
      } finally {
        await target.stop();
      }
    }
  },
);
