import * as vscode from 'vscode';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { nodeName } from '../../model/shards.ts';
import { partsWithData } from '../../model/parts.ts';
import { choosePart, partsText } from '../../operations/refusals/refuseParts.ts';
import type { Parts } from '../parts.ts';
import { answersOf, picked, textAnswer } from './target.ts';

/**
 * Notes in the snapshot which part of a cluster that has fallen apart is to be changed: the answer `part`, or a name
 * that the user types where the command came from the palette or a row. Without it, plans refuse.
 */
export async function toChange(
  parts: Parts,
  argument: unknown,
  snapshot: ClusterSnapshot,
): Promise<ClusterSnapshot> {
  const answers = answersOf(parts, argument);
  const part = textAnswer(answers, 'part');
  if (part !== undefined) return choosePart(snapshot, part);
  const first = snapshot.nodes.find(({ view }) => view !== undefined);
  if (first === undefined || partsWithData(snapshot).length === 0 || Object.keys(answers).length > 0) {
    return snapshot;
  }
  const name = nodeName(first);
  const typed = vscode.window.showInputBox({
    title: `${snapshot.name} Is Split into Parts`,
    prompt: `Parts: ${partsText(snapshot)}. Changing one part can lose the keys of another. Type “${name}” to change only the first part.`,
    ignoreFocusOut: true,
    validateInput: (text) => (text === name ? undefined : `Type “${name}”, or press Escape to cancel.`),
  });
  return choosePart(snapshot, await picked(typed));
}
