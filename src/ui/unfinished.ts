import * as vscode from 'vscode';
import { describeRef, isKubernetesRef } from '../model/clusterRef.ts';
import { isAbort, UserError } from '../model/errors.ts';
import { timeText } from '../model/moves.ts';
import type { Outcome } from '../model/outcome.ts';
import { planHeal } from '../operations/heal.ts';
import { readHealFacts } from '../operations/heal/facts.ts';
import { settleJournal, unfinishedJournals, type Unfinished } from '../operations/journal.ts';
import { Asking } from './asking.ts';
import type { Parts } from './parts.ts';
import { runPlanned } from './runPlanned.ts';
import { stepsText } from './stepsText.ts';
import { showError } from './showError.ts';

const choices = ['Go On', 'Put Right', 'Show', 'Dismiss'] as const;

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
  const place = isKubernetesRef(cluster) ? describeRef(cluster) : parts.inventory.titleOf(cluster);
  const message = `"${title}" on ${place} was not finished: the editor ended on ${timeText(lastAt)}. Go On skips what is done; Put Right only finishes what is half done.`;
  const choice = await vscode.window.showWarningMessage(message, ...choices);
  if (choice === undefined) return;
  if (choice === 'Show') {
    await parts.documents.show(`Journal – ${title}`, text);
    await offer(parts, journal);
    return;
  }
  if (choice === 'Dismiss') {
    await settleJournal(parts.journals, id, 'dismissed');
    return;
  }
  const { outcome } = await (choice === 'Go On' ? goOn(parts, journal) : putRight(parts, journal));
  if (outcome !== 'done') return;
  await settleJournal(parts.journals, id, choice === 'Go On' ? 'goOn' : 'putRight');
}

/** The same plan again, which skips what the servers say is done; where its steps are not enough, the same command. */
async function goOn(parts: Parts, { plan, operation, cluster, request }: Unfinished): Promise<Outcome> {
  if (plan === undefined) return await command(operation, { ...cluster, ...request, cluster });
  return await withErrors(parts, operation, () =>
    runPlanned(parts, {
      ...{ plan, verb: 'Go On' },
      asking: new Asking(parts, undefined),
      message: (result) => stepsText(plan, result),
    }),
  );
}

/** By what the servers say now: healing finishes moves that are half done and introduces nodes again. */
async function putRight(parts: Parts, { cluster }: Unfinished): Promise<Outcome> {
  return await withErrors(parts, 'heal', async () => {
    const snapshot = await parts.inventory.fresh(cluster);
    try {
      const facts = await readHealFacts(snapshot, await parts.inventory.dialer(snapshot.ref));
      const plan = planHeal(snapshot, facts);
      return await runPlanned(parts, {
        ...{ plan, asking: new Asking(parts, undefined), verb: 'Put Right' },
        message: (result) => stepsText(plan, result),
      });
    } catch (error) {
      if (!(error instanceof UserError) || error.reason !== 'invalid-input') throw error;
      void vscode.window.showInformationMessage(error.message);
      return { outcome: 'done', message: error.message };
    }
  });
}

async function withErrors(parts: Parts, name: string, work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    await parts.sourcesReady();
    return await work();
  } catch (error) {
    if (isAbort(error)) return { outcome: 'cancelled', message: 'Nothing was changed.' };
    return showError(parts.log, `Redis Cluster: ${name}`, error);
  }
}

async function command(name: string, argument: object): Promise<Outcome> {
  return await vscode.commands.executeCommand<Outcome>(`redisCluster.${name}`, argument);
}
