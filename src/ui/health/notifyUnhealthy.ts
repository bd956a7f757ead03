import * as vscode from 'vscode';
import { quantity } from '../../model/quantity.ts';
import { readSettings } from '../settings.ts';
import type { ClusterTree } from '../tree/clusterTree.ts';
import { HealthWatch } from './healthWatch.ts';
import type { ClusterHealth } from './clusterHealth.ts';

/** Notifies when a cluster that is being read anyway was healthy and is not any more. Nothing is read because of it. */
export function notifyUnhealthy(tree: ClusterTree): vscode.Disposable {
  const watch = new HealthWatch();
  return tree.onDidDraw(() => {
    const news = watch.next(tree.healths(), performance.now());
    if (news.length > 0 && readSettings().notifyUnhealthy) void notify(tree, news);
  });
}

/** Several at once have one cause more often than not, such as a lost network: they are one notification. */
async function notify(tree: ClusterTree, news: readonly ClusterHealth[]): Promise<void> {
  const [first] = news;
  if (first === undefined) return;
  const isOne = news.length === 1;
  const buttons = isOne ? ['Show', 'Check'] : ['Show'];
  const answer = await vscode.window.showWarningMessage(newsText(news), ...buttons);
  if (answer === 'Show') await tree.reveal(first.ref);
  if (answer === 'Check') await vscode.commands.executeCommand('redisCluster.check', { cluster: first.ref });
}

function newsText(news: readonly ClusterHealth[]): string {
  const [first] = news;
  if (news.length > 1 || first === undefined) {
    return `${quantity(news.length, 'cluster')} became unhealthy: ${news.map(({ name }) => name).join(', ')}.`;
  }
  const { name, problems } = first;
  const more = problems.length > 1 ? ` ${quantity(problems.length, 'problem')} in all.` : '';
  return `${name} became unhealthy. ${problems[0]?.message ?? ''}${more}`.trim();
}
