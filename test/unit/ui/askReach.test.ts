import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unreachedAddresses } from '../../../src/model/unreached.ts';
import type { Parts } from '../../../src/ui/parts.ts';
import { behindNat, line } from '../sample.ts';
import './editor/register.ts';
import { saved, setPerson } from './editor/vscode.ts';

const { askReach, keepReach } = await import('../../../src/ui/questions/askReach.ts');

test('addresses that lead nowhere are those of nodes that live by what the others say', () => {
  const snapshot = behindNat();
  assert.equal(unreachedAddresses(snapshot).length, 5);
  const denied = snapshot.nodes.map((node) => ({
    ...node,
    ...(node.unreachable === undefined ? {} : { unreachable: { reason: 'password' as const, message: '' } }),
  }));
  assert.deepEqual(unreachedAddresses({ ...snapshot, nodes: denied }), []);
  const failed = snapshot.nodes.map((node) => ({ ...node, health: 'failed' as const }));
  assert.deepEqual(unreachedAddresses({ ...snapshot, nodes: failed }), []);
  const silentOnes = snapshot.nodes.filter(({ view }) => view === undefined);
  assert.deepEqual(unreachedAddresses({ ...snapshot, nodes: silentOnes }), [], 'nobody says that they live');
});

test('each is asked for with what it would be at the host that was given, and a skipped one is not kept', async () => {
  let reconnected = 0;
  const inventory = {
    look: () => Promise.resolve(behindNat()),
    reconnect: () => Promise.resolve(reconnected++),
  };
  const prompts: string[] = [];
  setPerson({
    agrees: true,
    types: (prompt) => {
      prompts.push(prompt);
      if (prompts.length === 1) return '127.0.0.1:30001';
      return prompts.length === 2 ? '' : undefined;
    },
  });
  const parts = { inventory } as unknown as Parts;
  const ref = { addresses: ['127.0.0.1:30000'] };
  await keepReach(parts, ref, await askReach(parts, ref));
  assert.equal(prompts.length, 3, 'a dismissed question is the last');
  const [address = ''] = unreachedAddresses(behindNat());
  assert.deepEqual(saved.get('addressMap'), { [address]: '127.0.0.1:30001' });
  assert.equal(reconnected, 1);
  assert.match(prompts[0] ?? '', new RegExp(`announces ${line('r0').host.split('.')[0] ?? ''}\\.`));
});
