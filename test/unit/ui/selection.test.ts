import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RowTarget } from '../../../src/ui/tree/row.ts';
import './editor/register.ts';

const { argumentsOf } = await import('../../../src/ui/questions/selection.ts');

const shop = { context: 'test', namespace: 'shop', name: 'cart' };
const targets: Readonly<Record<string, RowTarget>> = {
  cluster: { kind: 'cluster', ref: shop },
  m0: { kind: 'node', ref: shop, nodeId: 'm0' },
  'shard/m0': { kind: 'node', ref: shop, nodeId: 'm0' },
  m1: { kind: 'node', ref: shop, nodeId: 'm1' },
  other: { kind: 'node', ref: { addresses: ['10.0.0.1:6379'] }, nodeId: 'm9' },
};
const tree: unknown = { target: ({ id }: { id: string }) => targets[id] };
const parts = { tree } as Parameters<typeof argumentsOf>[0];
const rows = (...ids: string[]): readonly { readonly id: string }[] => ids.map((id) => ({ id }));

test('selected nodes are the sources of a reshard, which asks, and a line each for Copy', () => {
  assert.deepEqual(argumentsOf(parts, 'reshard', { id: 'm0' }, rows('m0', 'm1')), [
    { cluster: shop, from: ['m0', 'm1'], ask: true },
  ]);
  assert.deepEqual(argumentsOf(parts, 'copy', { id: 'm0' }, rows('m0', 'shard/m0', 'm1')), [
    { cluster: shop, node: ['m0', 'm1'] },
  ]);
  assert.throws(() => argumentsOf(parts, 'copy', { id: 'm0' }, rows('m0', 'other')), /of one cluster/);
  assert.throws(() => argumentsOf(parts, 'copy', { id: 'm0' }, rows('m0', 'cluster')), /only Redis nodes/);
});

test('one row stays as it is, and what cannot be done for several rows is refused', () => {
  for (const selected of [undefined, rows('m0')])
    assert.deepEqual(argumentsOf(parts, 'promote', { id: 'm0' }, selected), [{ id: 'm0' }]);
  assert.throws(() => argumentsOf(parts, 'promote', { id: 'm0' }, rows('m0', 'm1')), /Select only one/);
  assert.deepEqual(argumentsOf(parts, 'showLogs', { id: 'm0' }, rows('m0', 'm1')), rows('m0', 'm1'));
});

test('the menu of several rows has only commands that take them', () => {
  const { contributes } = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8'),
  ) as { contributes: { menus: Record<string, { command: string; when: string; group: string }[]> } };
  for (const { command, when, group } of contributes.menus['view/item/context'] ?? []) {
    if (group.startsWith('inline')) continue;
    const name = command.replace('redisCluster.', '');
    const takesSeveral = (): unknown => argumentsOf(parts, name, { id: 'm0' }, rows('m0', 'm1'));
    // Of clusters and contexts only one at a time.
    if (when.includes('!listMultiSelection') && ['copy', 'reshard'].includes(name)) continue;
    if (when.includes('!listMultiSelection')) assert.throws(takesSeveral, /Select only one/, name);
    else assert.doesNotThrow(takesSeveral, name);
  }
});
