import { quantity } from '../../model/quantity.ts';
import * as vscode from 'vscode';
import type { Outcome } from '../../model/outcome.ts';
import { redisCliCommands } from '../../operations/plans/redisCli.ts';
import type { Parts } from '../parts.ts';
import { openPlanFile } from '../run/planFiles.ts';

/** Puts a saved plan on the clipboard as commands for a shell. */
export async function copyPlan(
  parts: Parts,
  argument: unknown,
): Promise<Outcome & { readonly commands: string }> {
  const { plan, snapshot } = await openPlanFile(parts, argument);
  const commands = redisCliCommands(plan, snapshot);
  await vscode.env.clipboard.writeText(commands);
  const message = `Copied the plan to the clipboard as redis-cli commands (${quantity(plan.steps.length, 'step')}). Nothing was changed.`;
  void vscode.window.showInformationMessage(message);
  return { outcome: 'done', message, commands };
}
