import * as vscode from 'vscode';
import { describeRef } from '../model/clusterRef.ts';
import { isAbort } from '../model/errors.ts';
import type { Outcome } from '../model/outcome.ts';
import { settleJournal, unfinishedJournals, type Unfinished } from '../operations/journal.ts';
import type { Parts } from './parts.ts';
import { runPlanned } from './runPlanned.ts';
import { showError } from './showError.ts';

const choices = ['Go On', 'Put Right', 'Show', 'Forget It'] as const;

/** Offers to go on with what a window that died was doing. Asks no server before a person has chosen. */
export async function offerUnfinished(parts: Parts): Promise<void> {
  try {
    const found = await unfinishedJournals(parts.journals, new AbortController().signal);
    await Promise.all(found.map((journal) => offer(parts, journal)));
  } catch (error) {
    showError(parts.log, 'Redis Cluster: operations that were not finished', error);
  }
}

async function offer(parts: Parts, journal: Unfinished): Promise<void> {
  const { id, title, cluster, lastAt, text } = journal;
  const since = new Date(lastAt).toLocaleString('en-US');
  const message = `"${title}" on ${describeRef(cluster)} was not finished; it was last heard of on ${since}.`;
  const choice = await vscode.window.showWarningMessage(message, ...choices);
  if (choice === undefined) return;
  if (choice === 'Show') {
    await parts.documents.show(`Journal – ${title}`, text);
    await offer(parts, journal);
    return;
  }
  if (choice === 'Forget It') {
    await settleJournal(parts.journals, id, 'dismissed');
    return;
  }
  const { outcome } = await (choice === 'Go On' ? goOn(parts, journal) : putRight(journal));
  if (outcome !== 'done') return;
  await settleJournal(parts.journals, id, choice === 'Go On' ? 'goOn' : 'putRight');
}

/** The same plan again, which skips what the servers say is done; where its steps are not enough, the same command. */
async function goOn(parts: Parts, { plan, operation, cluster, request }: Unfinished): Promise<Outcome> {
  if (plan === undefined) return await command(operation, { ...cluster, ...request, cluster });
  try {
    await parts.sourcesReady();
    return await runPlanned(parts, {
      plan,
      confirmation: plan.losses.length > 0 ? { word: 'go on' } : 'button',
      verb: 'Go On',
      message: ({ steps, seconds }) =>
        `${steps} of ${plan.steps.length} steps are done, in ${seconds.toFixed(1)} s`,
    });
  } catch (error) {
    if (isAbort(error)) return { outcome: 'cancelled', message: 'Nothing was changed.' };
    return showError(parts.log, `Redis Cluster: ${operation}`, error);
  }
}

/** By what the servers say now: healing finishes moves that are half done and introduces nodes again. */
async function putRight({ cluster }: Unfinished): Promise<Outcome> {
  return await command('heal', { cluster });
}

async function command(name: string, argument: object): Promise<Outcome> {
  return await vscode.commands.executeCommand<Outcome>(`redisCluster.${name}`, argument);
}
