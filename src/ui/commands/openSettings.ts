import * as vscode from 'vscode';
import type { Outcome } from '../../model/outcome.ts';
import type { Parts } from '../parts.ts';
import { answersOf, textAnswer } from '../questions/target.ts';

/** Opens the editor's settings at this product's, or at one of them. */
export async function openSettings(parts: Parts, argument: unknown): Promise<Outcome> {
  const setting = textAnswer(answersOf(parts, argument), 'setting');
  const query = setting === undefined ? 'redisCluster' : `redisCluster.${setting}`;
  await vscode.commands.executeCommand('workbench.action.openSettings', query);
  return { outcome: 'done', message: 'The settings are open.' };
}
