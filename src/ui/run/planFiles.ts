import { readFile } from 'node:fs/promises';
import * as vscode from 'vscode';
import { messageOf, UserError } from '../../model/errors.ts';
import type { Plan } from '../../operations/plans/plan.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import {
  planFromFile,
  readPlanFile,
  writePlanFile,
  type FiledPlan,
} from '../../operations/plans/planFile.ts';
import type { Parts } from '../parts.ts';
import { planEnding } from './planLenses.ts';
import { answersOf, picked, textAnswer } from '../questions/target.ts';

/** Editors look at the last part of a name only, and would add all of `redisplan.json` to one that has it. */
const filters = { 'Redis Cluster plan': ['json'] };

/** Asks where to, writes the plan for the cluster as it was when the plan was made, and opens it. False where nobody said where. */
export async function savePlanFile(plan: Plan, madeOf: ClusterSnapshot): Promise<boolean> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const name = `${plan.operation}-${madeOf.name.replaceAll(/[^\w.-]+/g, '-')}${planEnding}`;
  const defaultUri = folder === undefined ? vscode.Uri.file(name) : vscode.Uri.joinPath(folder, name);
  const uri = await vscode.window.showSaveDialog({ defaultUri, filters, title: 'Save Plan' });
  if (uri === undefined) return false;
  const text = writePlanFile(plan, madeOf, new Date());
  await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
  await vscode.window.showTextDocument(uri, { preview: false });
  return true;
}

export interface OpenedPlan {
  readonly plan: Plan;
  readonly snapshot: ClusterSnapshot;
}

/**
 * The plan of a file, held against its cluster as it is now. The file is the argument's, the editor's, or picked.
 * Throws a UserError where it cannot be read or the cluster has moved on.
 */
export async function openPlanFile(parts: Parts, argument: unknown): Promise<OpenedPlan> {
  const filed = await readFiled(parts, argument);
  const snapshot = await parts.inventory.fresh(filed.cluster);
  return { plan: planFromFile(filed, snapshot), snapshot };
}

async function readFiled(parts: Parts, argument: unknown): Promise<FiledPlan> {
  if (argument instanceof vscode.Uri) return readPlanFile(await textOf(argument));
  const file = textAnswer(answersOf(parts, argument), 'file');
  if (file !== undefined) return readPlanFile(await readGiven(file));
  const open = vscode.window.activeTextEditor?.document;
  if (open?.fileName.endsWith(planEnding) === true) return readPlanFile(open.getText());
  const [uri] = await picked(vscode.window.showOpenDialog({ filters, title: 'Open Plan' }));
  if (uri === undefined) throw new UserError('invalid-input', 'No plan was selected. Nothing was changed.');
  return readPlanFile(await textOf(uri));
}

/** What is being looked at counts, saved or not. */
async function textOf(uri: vscode.Uri): Promise<string> {
  const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri.toString());
  return open?.getText() ?? new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
}

async function readGiven(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UserError('not-found', `The plan ${file} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
