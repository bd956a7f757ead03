import * as vscode from 'vscode';
import type { Outcome } from '../../model/outcome.ts';

/** Opens the editor's settings at this product's. */
export async function openSettings(): Promise<Outcome> {
  await vscode.commands.executeCommand('workbench.action.openSettings', 'redisCluster');
  return { outcome: 'done', message: 'The settings are open.' };
}
