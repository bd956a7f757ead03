import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { lastBackup, noteRehearsal } from '../../../src/ui/questions/lastBackup.ts';

describe('the last backup of a folder', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'last-backup-'));
    const write = async (name: string, text: string | undefined): Promise<void> => {
      await mkdir(join(folder, name), { recursive: true });
      if (text !== undefined) await writeFile(join(folder, name, 'backup.json'), text);
    };
    await write('older', '{"format":1,"cluster":"shop","endedAt":"2026-11-01T03:00:00Z","shards":[]}');
    await write('last', '{"format":1,"cluster":"shop","endedAt":"2026-11-02T03:00:00Z","shards":[]}');
    await write('unfinished', undefined);
    await write('damaged', '{"format":');
    await mkdir(join(folder, 'empty'));
    await mkdir(join(folder, 'rdb'));
    await writeFile(join(folder, 'rdb', 'dump.rdb'), '');
  });
  after(() => rm(folder, { recursive: true }));

  test('is the one that ended last, whatever else lies there', async () => {
    const last = { path: join(folder, 'last'), cluster: 'shop', endedAt: '2026-11-02T03:00:00Z' };
    assert.deepEqual(await lastBackup(folder), last);
  });

  test('a folder with a backup is that backup; one with files of other tools says nothing of them', async () => {
    assert.equal((await lastBackup(join(folder, 'older'))).endedAt, '2026-11-01T03:00:00Z');
    assert.deepEqual(await lastBackup(join(folder, 'rdb')), { path: join(folder, 'rdb') });
  });

  test('a folder that holds none, is damaged, or is not there is refused with its path', async () => {
    await assert.rejects(lastBackup(join(folder, 'empty')), /empty holds no backup/);
    await assert.rejects(lastBackup(join(folder, 'damaged')), /backup\.json cannot be read/);
    await assert.rejects(lastBackup(join(folder, 'missing')), /missing cannot be read: ENOENT/);
  });

  test('a rehearsal is noted beside what the backup says already', async () => {
    const known = await lastBackup(folder);
    await noteRehearsal(known, new Date('2026-11-03T00:00:00Z'));
    const noted = JSON.parse(await readFile(join(known.path, 'backup.json'), 'utf8')) as unknown;
    assert.deepEqual(noted, {
      ...{ format: 1, cluster: 'shop', endedAt: '2026-11-02T03:00:00Z', shards: [] },
      rehearsedAt: '2026-11-03T00:00:00.000Z',
    });
  });
});
