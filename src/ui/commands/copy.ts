import * as vscode from 'vscode';
import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import { clusterTexts, nodeTexts, type CopyText } from '../copyTexts.ts';
import type { Parts } from '../parts.ts';
import { answersOf, clusterOf, picked, rowTarget, textAnswer, type Answers } from '../questions/target.ts';
import { memberOf } from '../../operations/servers/nodes.ts';

/** Copies what a cluster or nodes are known by, or command lines that reach them; a line for each node. */
export async function copy(parts: Parts, argument: unknown): Promise<Outcome & { text: string }> {
  const target = rowTarget(parts, argument);
  const answers = answersOf(parts, argument);
  const snapshot = await parts.inventory.look(await clusterOf(parts, argument));
  const ids = target?.kind === 'node' ? [target.nodeId] : nodesIn(answers);
  const texts =
    ids.length === 0
      ? clusterTexts(snapshot)
      : linesOf(ids.map((id) => nodeTexts(snapshot, memberOf(snapshot, id))));
  const what = textAnswer(answers, 'what');
  const chosen = what === undefined ? await ask(texts) : texts.find((one) => one.what === what);
  if (chosen === undefined) {
    const known = texts.map((one) => one.what).join(', ');
    throw new UserError('invalid-input', `"what" must be one of ${known} here, not "${what ?? ''}".`);
  }
  await vscode.env.clipboard.writeText(chosen.text);
  return { outcome: 'done', message: `${chosen.label} copied.`, text: chosen.text };
}

function nodesIn(answers: Answers): readonly string[] {
  const { node } = answers;
  if (Array.isArray(node) && node.every((id): id is string => typeof id === 'string')) return node;
  const id = textAnswer(answers, 'node');
  return id === undefined ? [] : [id];
}

/** What all of the nodes have, each text with a line for each. */
function linesOf(nodes: readonly (readonly CopyText[])[]): readonly CopyText[] {
  const [first = []] = nodes;
  return first.flatMap(({ what, label }) => {
    const found = nodes.flatMap((texts) => texts.filter((one) => one.what === what));
    return found.length < nodes.length
      ? []
      : [{ what, label, text: found.map(({ text }) => text).join('\n') }];
  });
}

async function ask(texts: readonly CopyText[]): Promise<CopyText> {
  const items = texts.map((one) => ({ label: one.label, description: one.text.replaceAll('\n', ', '), one }));
  const options = { title: 'Copy', placeHolder: 'Select what to copy', matchOnDescription: true };
  return (await picked(vscode.window.showQuickPick(items, options))).one;
}
