import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { backUp, type BackupPorts, type BackupResult } from '../../src/operations/backup.ts';
import type { Backup } from '../../src/operations/backups/description.ts';
import { withConnection } from '../../src/operations/servers/withConnection.ts';
import * as redis from '../../src/redis/entry.ts';
import { backupFolder } from '../../src/ui/questions/backupFolder.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { dumpAll, fill, type Write } from '../support/redis/fill.ts';
import { readSnapshot } from '../support/redis/readSnapshot.ts';

const count = 20_000;
const writes = Array.from({ length: count }, (_, index): Write => [
  'SET',
  Buffer.from(`key ${index}`),
  randomBytes(index % 200),
]);

describe('backing up', { timeout: 180_000 }, () => {
  let cluster: TestCluster;
  let parent: string;
  before(async () => {
    cluster = await startRedisCluster({ config: { 'repl-diskless-sync-delay': '0' } });
    parent = await mkdtemp(join(tmpdir(), 'backups-'));
    await fill(cluster, writes);
  });
  after(async () => {
    await cluster.stop();
    await rm(parent, { recursive: true });
  });

  const run = async (
    name: string,
    changes: Partial<BackupPorts> = {},
    evenPartly = false,
  ): Promise<BackupResult & { readonly path: string }> => {
    const { path, place, discard } = backupFolder(parent, name, new Date());
    const result = await backUp(await readSnapshot(cluster), evenPartly, {
      ...{ dialer: cluster.dialer, redis, place, discard },
      readSnapshot: () => readSnapshot(cluster),
      report: () => undefined,
      signal: new AbortController().signal,
      clock: () => Date.now(),
      ...changes,
    });
    return { ...result, path };
  };
  const left = (): Promise<string[]> => readdir(parent);

  test('has all keys, from replicas, in files that servers load, named as redis-cli names them', async () => {
    const { path, keys, bytes, shards } = await run('whole');
    assert.equal(keys, count);
    const { nodes } = await readSnapshot(cluster);
    for (const { source, master, file, sha256, keys: own } of shards) {
      assert.equal(nodes.find(({ id }) => id === source)?.role, 'replica');
      assert.equal(nodes.find(({ id }) => id === source)?.masterId, master);
      const content = await readFile(join(path, file));
      assert.equal(createHash('sha256').update(content).digest('hex'), sha256);
      assert.equal(await keysLoaded(path, file), own);
    }
    const described = JSON.parse(await readFile(join(path, 'backup.json'), 'utf8')) as Backup;
    assert.deepEqual(described.shards, shards);
    assert.equal(described.missingSlots, undefined);
    assert.ok(bytes > count * 99, String(bytes));
    const theirs = join(parent, 'theirs');
    await mkdir(theirs);
    const { code, stdout } = await cluster.cli('--cluster', 'backup', cluster.addresses[0] ?? '', theirs);
    assert.equal(code, 0, stdout);
    const names = (folder: readonly string[]): readonly string[] =>
      folder.filter((name) => name !== 'backup.json').sort();
    assert.deepEqual(names(await readdir(path)), names(await readdir(theirs)));
    const nodesIn = async (folder: string): Promise<readonly object[]> =>
      (JSON.parse(await readFile(join(folder, 'nodes.json'), 'utf8')) as readonly { name: string }[])
        .map(({ name, ...rest }) => ({ name, fields: Object.keys(rest).sort() }))
        .sort((a, b) => a.name.localeCompare(b.name));
    assert.deepEqual(await nodesIn(path), await nodesIn(theirs));
    await rm(theirs, { recursive: true });
    await rm(path, { recursive: true });
  });

  test('begins again where a slot has moved meanwhile, and has every key once', async () => {
    const [first, second] = (await readSnapshot(cluster)).nodes;
    assert.ok(first && second);
    let places = 0;
    const { place, discard, path } = backupFolder(parent, 'moved', new Date());
    const result = await run('unused', {
      discard,
      place: async () => {
        places += 1;
        if (places === 1) {
          const moved = await cluster.cli(
            ...['--cluster', 'reshard', cluster.addresses[0] ?? '', '--cluster-from', first.id],
            ...['--cluster-to', second.id, '--cluster-slots', '50', '--cluster-yes'],
          );
          assert.equal(moved.code, 0, moved.stdout);
        }
        return place();
      },
    });
    assert.equal(places, 2);
    assert.equal(result.keys, (await dumpAll(cluster)).size);
    await rm(path, { recursive: true });
  });

  test('leaves nothing where it is stopped', async () => {
    const stop = new AbortController();
    const stopped = run('stopped', {
      signal: stop.signal,
      report: ({ done = 0 }) => {
        if (done > 0) stop.abort();
      },
      clock: ticking(),
    });
    await assert.rejects(stopped, { name: 'AbortError' });
    assert.deepEqual(await left(), []);
  });

  test('a user who may not copy is told so, with the server’s words, and nothing is left', async () => {
    for (const { id } of cluster.nodes) {
      await withConnection(cluster, id, (connection) =>
        connection.call('ACL', 'SETUSER', 'default', '-sync'),
      );
    }
    await assert.rejects(run('denied'), /sends no snapshot: .*NOPERM/);
    assert.deepEqual(await left(), []);
    for (const { id } of cluster.nodes) {
      await withConnection(cluster, id, (connection) =>
        connection.call('ACL', 'SETUSER', 'default', '+sync'),
      );
    }
  });

  test('a folder that cannot be written is said with its path', async () => {
    const file = join(parent, 'a file');
    await writeFile(file, '');
    const { place, discard } = backupFolder(file, 'x', new Date());
    await assert.rejects(run('nowhere', { place, discard }), /a file\/x-\d+-\d+ cannot be written: EEXIST/);
    await rm(file);
    for (const [above, why] of [
      [join('/proc', 'backups', 'of', 'shop'), /backups.* cannot be written: ENOENT/],
      [join(parent, 'new', 'er'), undefined],
    ] as const) {
      const deep = backupFolder(above, 'x', new Date());
      if (why === undefined) await deep.place();
      else await assert.rejects(deep.place(), why);
      await deep.discard();
    }
  });
});

/** A clock of which each look is a second later, so that every piece is reported. */
function ticking(): () => number {
  let now = 0;
  return () => (now += 1000);
}

/** How many keys a server has that starts with the file. */
async function keysLoaded(folder: string, file: string): Promise<number> {
  // A server that ends removes its socket by name.
  const socket = join(folder, file.slice(-12));
  const server = spawn('redis-server', [
    ...['--port', '0', '--unixsocket', socket, '--dir', folder, '--dbfilename', file, '--save', ''],
  ]);
  try {
    for (let tries = 0; ; tries++) {
      try {
        const connection = await redis.connectNode(
          { path: socket },
          {},
          { connectTimeoutMs: 1000, commandTimeoutMs: 5000 },
        );
        const keys = Number(await connection.call('DBSIZE'));
        connection.close();
        return keys;
      } catch (error) {
        if (tries > 100) throw error;
        await new Promise((resolve) => {
          setTimeout(resolve, 50);
        });
      }
    }
  } finally {
    server.kill();
    await rm(socket, { force: true });
  }
}
