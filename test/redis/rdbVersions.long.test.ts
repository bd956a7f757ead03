import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withConnection } from '../../src/operations/servers/withConnection.ts';
import { readsOf } from '../../src/redis/rdb/encodings.ts';
import { probeRestore } from '../../src/redis/rdb/probeRestore.ts';
import { readSnapshot } from '../support/redis/readSnapshot.ts';
import { startRedisCluster } from '../support/startRedisCluster.ts';

const guide = join(import.meta.dirname, '../../docs/guides/backup.md');
const versions = [10, 11, 12, 13, 80];

test(
  'the table of the guide says which server reads which version of the format',
  {
    timeout: 120_000,
  },
  async (context) => {
    const columns: { name: string; reads: readonly boolean[] }[] = [];
    for (const version of ['7.0', 'redisNewest', 'valkeyNewest'] as const) {
      await using stack = new AsyncDisposableStack();
      const cluster = await startRedisCluster({
        ...{ masters: 1, replicasPerMaster: 0 },
        ...(version === '7.0' ? {} : { version }),
      });
      stack.defer(() => cluster.stop());
      const [node] = (await readSnapshot(cluster)).nodes;
      assert.ok(node?.view);
      const { product, version: release } = node.view;
      const reads: boolean[] = [];
      await withConnection(cluster, node.id, async (connection) => {
        for (const format of versions)
          reads.push((await probeRestore(connection, Buffer.from('no key'), [format])) === undefined);
        assert.equal(await connection.call('DBSIZE'), 0, 'asking writes nothing');
      });
      // What is planned with is what the servers say; Valkey hands nothing newer than 11 on to Redis, nor the other way round.
      const known = readsOf(product, release);
      const highest = versions.filter((_, index) => reads[index]).at(-1);
      assert.equal(known.version, highest, `${product} ${release}`);
      columns.push({ name: `${product === 'valkey' ? 'Valkey' : 'Redis'} ${release}`, reads });
    }
    const written = readFileSync(guide, 'utf8').replaceAll(/ {2,}/g, ' ').replaceAll(/-{3,}/g, '---');
    const rows = [
      ['RDB version', ...columns.map(({ name }) => name)],
      columns.map(() => '---').concat('---'),
      ...versions.map((format, index) => [
        format === 80 ? '80 (Valkey)' : String(format),
        ...columns.map(({ reads }) => (reads[index] === true ? 'yes' : 'no')),
      ]),
    ];
    const table = rows.map((row) => `| ${row.join(' | ')} |`).join('\n');
    context.diagnostic(`docs/guides/backup.md should have:\n${table}`);
    assert.ok(written.includes(table), table);
  },
);
