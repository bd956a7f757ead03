import * as vscode from 'vscode';
import type { Outcome } from '../../model/outcome.ts';
import { keySlot } from '../../model/keySlot.ts';
import { mastersOf, nodeName } from '../../model/shards.ts';
import { hasSlot } from '../../model/slots.ts';
import type { Parts } from '../parts.ts';
import { answersOf, clusterOf, picked, textAnswer } from '../questions/target.ts';

/**
 * Finds the hash slot of a key and the master that serves it, and shows both: on the slot map and in the tree. The key
 * itself is never sent to a server, nor does it appear in the result, which is logged.
 */
export async function goToKey(
  parts: Parts,
  argument: unknown,
): Promise<Outcome & { slot: number; node: string | undefined }> {
  const ref = await clusterOf(parts, argument);
  const key = textAnswer(answersOf(parts, argument), 'key') ?? (await askKey(parts.inventory.titleOf(ref)));
  const snapshot = await parts.inventory.look(ref);
  const slot = keySlot(key);
  const owner = mastersOf(snapshot).find(({ slots }) => hasSlot(slots, slot));
  await parts.openSlotMap(ref, slot);
  if (owner !== undefined) await parts.tree.reveal(ref, owner.id);
  const where = owner === undefined ? 'no master owns it' : `owned by ${nodeName(owner)}`;
  return { outcome: 'done', message: `The key is in hash slot ${slot}: ${where}.`, slot, node: owner?.id };
}

async function askKey(title: string): Promise<string> {
  const options = {
    title: `Go to Key – ${title}`,
    prompt: 'Enter a key. Only the part in {braces} is hashed where there is one.',
    placeHolder: 'user:{42}:name',
  };
  return await picked(vscode.window.showInputBox(options));
}
