import * as vscode from 'vscode';
import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { Parts } from '../parts.ts';
import { answersOf, picked, textAnswer } from '../questions/target.ts';
import { groupings, type Grouping } from '../tree/groupings.ts';

const titles: Readonly<Record<Grouping, readonly [label: string, detail: string]>> = {
  shards: ['Shards', 'Each master with its replicas and slots'],
  roles: ['Masters and Replicas', 'All masters, then all replicas'],
  machines: ['Kubernetes Nodes', 'Who fails with which machine; outside Kubernetes, by host'],
};

/** Chooses how the nodes of all clusters are listed in the tree. */
export async function groupBy(parts: Parts, argument: unknown): Promise<Outcome> {
  const given = textAnswer(answersOf(parts, argument), 'by');
  const by = given === undefined ? await ask(parts.grouping.chosen) : groupings.find((one) => one === given);
  if (by === undefined) {
    throw new UserError(
      'invalid-input',
      `"by" must be one of ${groupings.join(', ')}, not "${given ?? ''}".`,
    );
  }
  await parts.grouping.choose(by);
  parts.tree.redraw();
  return { outcome: 'done', message: `Nodes are grouped by ${titles[by][0].toLowerCase()}.` };
}

async function ask(chosen: Grouping): Promise<Grouping> {
  const items = groupings.map((grouping) => ({
    label: titles[grouping][0],
    detail: titles[grouping][1],
    ...(grouping === chosen ? { description: 'current' } : {}),
    grouping,
  }));
  const options = { title: 'Group Nodes By', placeHolder: 'Select how nodes are listed' };
  return (await picked(vscode.window.showQuickPick(items, options))).grouping;
}
