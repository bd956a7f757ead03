import * as vscode from 'vscode';
import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import { clusterTexts, nodeTexts, type CopyText } from '../copyTexts.ts';
import type { Parts } from '../parts.ts';
import { answersOf, clusterOf, picked, rowTarget, textAnswer } from '../target.ts';
import { memberOf } from '../../operations/nodes.ts';

/** Copies what a node or cluster is known by, or a command line that reaches it. */
export async function copy(parts: Parts, argument: unknown): Promise<Outcome & { text: string }> {
  const target = rowTarget(parts, argument);
  const answers = answersOf(parts, argument);
  const snapshot = await parts.inventory.look(await clusterOf(parts, argument));
  const id = target?.kind === 'node' ? target.nodeId : textAnswer(answers, 'node');
  const texts = id === undefined ? clusterTexts(snapshot) : nodeTexts(snapshot, memberOf(snapshot, id));
  const what = textAnswer(answers, 'what');
  const chosen = what === undefined ? await ask(texts) : texts.find((one) => one.what === what);
  if (chosen === undefined) {
    const known = texts.map((one) => one.what).join(', ');
    throw new UserError('invalid-input', `"what" must be one of ${known} here, not "${what ?? ''}".`);
  }
  await vscode.env.clipboard.writeText(chosen.text);
  return { outcome: 'done', message: `${chosen.label} copied.`, text: chosen.text };
}

async function ask(texts: readonly CopyText[]): Promise<CopyText> {
  const items = texts.map((one) => ({ label: one.label, description: one.text, one }));
  const options = { title: 'Copy', placeHolder: 'Select what to copy', matchOnDescription: true };
  return (await picked(vscode.window.showQuickPick(items, options))).one;
}
