import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BackupFiles } from '../../../src/operations/backups/readBackup.ts';
import { shapeLike, shapeToHold, shapeToRehearse } from '../../../src/operations/backups/newShape.ts';
import { rehearsalName } from '../../../src/operations/backups/rehearsal.ts';
import { ids, snapshotOf, source } from '../sample.ts';

function backup(files: number, bytesEach: number, family: 'redis' | 'valkey' = 'redis'): BackupFiles {
  const scanned = (slot: number) => {
    const bytesBySlot = new Float64Array(16_384);
    bytesBySlot[slot] = bytesEach;
    return { family, types: new Set<number>(), keys: 10, bytesBySlot, someKeys: [] };
  };
  return {
    folder: '/backups/shop',
    files: Array.from({ length: files }, (_, index) => ({ file: `${index}.rdb`, scanned: scanned(index) })),
  };
}

const gibi = 1024 ** 3;

describe('the shape of a new cluster', () => {
  test('a clone has the masters and replicas of the cluster, and room for what its servers use', () => {
    const small = shapeLike(snapshotOf(ids.map((id) => source(id))));
    assert.deepEqual(small, {
      ...{ masters: 3, replicasPerMaster: 1, overlays: [] },
      ...{ memory: '256Mi', storage: '1024Mi' },
    });
    const large = shapeLike(snapshotOf(ids.map((id) => source(id, { usedMemoryBytes: 2 * gibi }))));
    // 70 % of the limit is for keys, and there is half as much again: 2048 / 0.7 * 1.5.
    assert.deepEqual([large.memory, large.storage], ['4389Mi', '17556Mi']);
  });

  test('a clone of Valkey is one of Valkey', () => {
    const { overlays } = shapeLike(snapshotOf(ids.map((id) => source(id, { product: 'valkey' }))));
    assert.deepEqual(overlays, ['valkey']);
  });

  test('a backup of one server, or two, still needs three masters, and one of five gets five', () => {
    assert.equal(shapeToHold(backup(1, 1)).masters, 3);
    assert.equal(shapeToHold(backup(5, 1)).masters, 5);
    assert.equal(shapeToHold(backup(5, 1)).replicasPerMaster, 1);
  });

  test('a small rehearsal needs no volumes, a large one has room for its keys on them', () => {
    const small = shapeToRehearse(backup(3, 1000, 'valkey'));
    assert.deepEqual(small, {
      ...{ masters: 3, replicasPerMaster: 0, memory: '256Mi' },
      overlays: ['dev', 'valkey'],
    });
    const large = shapeToRehearse(backup(3, gibi));
    assert.deepEqual(large.overlays, []);
    assert.equal(large.memory, '4389Mi');
    assert.equal(large.storage, '17556Mi');
  });

  test('a rehearsal has a namespace whose name Kubernetes takes', () => {
    assert.equal(rehearsalName('shop'), 'shop-rehearsal');
    assert.equal(rehearsalName('10.0.0.1:6379'), '10-0-0-1-6379-rehearsal');
    assert.equal(rehearsalName('…'), 'redis-rehearsal');
    assert.equal(rehearsalName('a'.repeat(80)).length, 63);
  });
});
