import * as vscode from 'vscode';
import { describeRef, isKubernetesRef, type ClusterRef } from '../../model/clusterRef.ts';
import { isAbort, UserError } from '../../model/errors.ts';
import { agoText } from '../../model/ago.ts';
import type { Outcome } from '../../model/outcome.ts';
import { planHeal } from '../../operations/heal.ts';
import { readHealFacts } from '../../operations/repair/openFacts.ts';
import { settleJournal, type Unfinished } from '../../operations/run/journal.ts';
import { planToResume } from '../../operations/plans/planFile.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { runPlanned } from './runPlanned.ts';
import { stepsText } from './stepsText.ts';
import { showError } from '../showError.ts';

const choices = ['Resume', 'Repair', 'Show Details', 'Dismiss'] as const;

/** Asks what becomes of an operation that was not finished, and does that. */
export async function offer(parts: Parts, journal: Unfinished): Promise<void> {
  const choice = await vscode.window.showWarningMessage(offerText(parts, journal), ...choices);
  if (choice === undefined) return;
  if (choice === 'Show Details') {
    await showUnfinished(parts, journal);
    await offer(parts, journal);
    return;
  }
  if (choice === 'Dismiss') await dismissUnfinished(parts, journal);
  else await withErrors(parts, choice, () => (choice === 'Resume' ? resume : repair)(parts, journal));
}

function offerText(parts: Parts, { title, cluster, lastAt, end }: Unfinished): string {
  const name = isKubernetesRef(cluster) ? cluster.name : parts.inventory.titleOf(cluster);
  const place = isKubernetesRef(cluster) ? describeRef(cluster) : name;
  const what = title.includes(place) ? `“${title}”` : `“${title}” on ${place}`;
  const happened =
    end === 'died' || end === 'closed'
      ? `VS Code closed before ${what} finished (${agoText(lastAt)}).`
      : `${what} was not finished (${agoText(lastAt)}).`;
  return `${happened} Resume continues where it stopped. Repair only completes half-finished steps.`;
}

/** Shows the journal. */
export async function showUnfinished(parts: Parts, { title, text }: Unfinished): Promise<Outcome> {
  await parts.documents.show(`Journal – ${title}`, text);
  return { outcome: 'done', message: `Showing the journal of “${title}”.` };
}

/** Leaves everything as it is and offers it no more. */
export async function dismissUnfinished(parts: Parts, { id, title }: Unfinished): Promise<Outcome> {
  await settleJournal(parts.journals, id, 'dismissed');
  await parts.unfinished.settled(id);
  return { outcome: 'done', message: `“${title}” was dismissed. Nothing was changed.` };
}

/** Stops offering whatever was not finished on a cluster that is no more. */
export async function dismissAllOf(parts: Parts, ref: ClusterRef): Promise<void> {
  await parts.unfinished.reload();
  for (const journal of parts.unfinished.of(ref)) await dismissUnfinished(parts, journal);
}

/** The same plan again, which skips what the servers say is done; where its steps are not enough, the same command. */
export async function resume(
  parts: Parts,
  journal: Unfinished,
  asking = new Asking(parts, undefined),
): Promise<Outcome> {
  const { operation, cluster, request } = journal;
  const plan = planToResume(journal);
  const confirmed = asking.answers['confirmed'] === true ? { confirmed: true } : {};
  const outcome =
    plan === undefined
      ? await command(operation, { ...cluster, ...request, cluster, ...confirmed })
      : await runPlanned(parts, {
          plan,
          asking: asking.always(),
          verb: 'Resume',
          message: (result) => stepsText(plan, result),
        });
  return await settledBy(parts, journal, outcome, 'resumed');
}

/** By what the servers say now: healing finishes moves that are half done and introduces nodes again. */
export async function repair(
  parts: Parts,
  journal: Unfinished,
  asking = new Asking(parts, undefined),
): Promise<Outcome> {
  const outcome = await healed(parts, journal.cluster, asking);
  return await settledBy(parts, journal, outcome, 'repaired');
}

async function healed(parts: Parts, cluster: ClusterRef, asking: Asking): Promise<Outcome> {
  const snapshot = await parts.inventory.fresh(cluster);
  try {
    const facts = await readHealFacts(snapshot, await parts.inventory.dialer(snapshot.ref));
    const plan = planHeal(snapshot, facts);
    return await runPlanned(parts, {
      plan,
      asking: asking.always(),
      verb: 'Repair',
      message: (result) => stepsText(plan, result),
    });
  } catch (error) {
    if (!(error instanceof UserError) || error.reason !== 'nothing-to-do') throw error;
    if (asking.answers['confirmed'] !== true) void vscode.window.showInformationMessage(error.message);
    return { outcome: 'done', message: error.message };
  }
}

async function settledBy(
  parts: Parts,
  { id }: Unfinished,
  outcome: Outcome,
  decision: 'resumed' | 'repaired',
): Promise<Outcome> {
  if (outcome.outcome !== 'done') return outcome;
  await settleJournal(parts.journals, id, decision);
  await parts.unfinished.settled(id);
  return outcome;
}

async function withErrors(parts: Parts, name: string, work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    await parts.sourcesReady();
    return await work();
  } catch (error) {
    if (isAbort(error)) return { outcome: 'cancelled', message: 'Nothing was changed.' };
    return showError(parts.log, name, error);
  }
}

async function command(name: string, argument: object): Promise<Outcome> {
  return await vscode.commands.executeCommand<Outcome>(`redisCluster.${name}`, argument);
}
