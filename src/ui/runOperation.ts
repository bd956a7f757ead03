import * as vscode from 'vscode';
import { claimOf } from '../inventory/inventory.ts';
import { describeRef, isKubernetesRef, type ClusterRef } from '../model/clusterRef.ts';
import type { Plan, Progress, Report } from '../model/plan.ts';
import type { Outcome } from '../model/outcome.ts';
import { canSave } from '../operations/planFile.ts';
import type { StepWitness } from '../operations/runPlan.ts';
import { journaled } from './journaled.ts';
import { asTheOnlyOne, withLeaseWarning } from './oneAtATime.ts';
import type { Parts } from './parts.ts';
import { savePlanFile } from './planFiles.ts';

/** How a change is confirmed: not at all where the caller has answered everything, by a button, or by a typed word. */
export type Confirmation = 'none' | 'button' | { readonly word: string };

interface Change<T> {
  readonly plan: Plan;
  readonly confirmation: Confirmation;
  /** The verb on the dialog's button. */
  readonly verb: string;
  /** Operations with steps of their own may leave the witness alone: the journal then says how they began and ended. */
  readonly run: (signal: AbortSignal, report: Report, witness: StepWitness) => Promise<T>;
}

/**
 * Shows the plan, asks, runs it with progress and cancel as the cluster's one operation. Errors are the caller's
 * caller's: every command ends in one place that shows them.
 */
export async function runOperation<T extends { readonly message: string }>(
  parts: Parts,
  { plan: asPlanned, confirmation, verb, run }: Change<T>,
): Promise<(Outcome & { readonly outcome: 'cancelled' }) | T> {
  const plan = await withLeaseWarning(parts, asPlanned);
  parts.log.info(`${plan.title}: plan for ${describeRef(plan.ref)}\n${planText(plan)}`);
  if (!(await isConfirmed(parts, plan, confirmation, verb))) {
    return { outcome: 'cancelled', message: `${plan.title}: cancelled, nothing was changed.` };
  }
  const options = { location: vscode.ProgressLocation.Notification, title: plan.title, cancellable: true };
  // Its nodes are dialled by what is read of them, whether or not a view still needs that.
  const release = parts.inventory.need(claimOf(plan.ref));
  const running = vscode.window.withProgress(options, (progress, token) =>
    parts.operations.run(plan.ref, plan.title, async (signal, report) => {
      token.onCancellationRequested(() => parts.operations.cancel(plan.ref));
      let shown = 0;
      const show: Report = (step) => {
        report(step);
        const percent =
          step.total === undefined || step.total === 0 ? shown : (100 * (step.done ?? 0)) / step.total;
        progress.report({ message: progressText(step), increment: Math.max(0, percent - shown) });
        shown = Math.max(shown, percent);
      };
      return asTheOnlyOne(parts, plan, signal, (shared) =>
        journaled(parts, plan, (witness) => run(shared, show, witness)),
      );
    }),
  );
  try {
    const result = await running;
    // Whoever was asked is told; a caller that has answered everything reads the result.
    if (confirmation !== 'none') void vscode.window.showInformationMessage(result.message);
    return result;
  } finally {
    release();
  }
}

function progressText({ text, done, total, unit }: Progress): string {
  if (total === undefined) return text;
  return `${(done ?? 0).toLocaleString('en-US')} of ${total.toLocaleString('en-US')}${unit === undefined ? '' : ` ${unit}`} · ${text}`;
}

async function isConfirmed(
  parts: Parts,
  plan: Plan,
  confirmation: Confirmation,
  verb: string,
): Promise<boolean> {
  if (confirmation === 'none') return true;
  const showPlan = 'Show Plan';
  const savePlan = 'Save Plan…';
  // What the plan was made of, as a reading of now could be of another state.
  const madeOf = canSave(plan) ? parts.inventory.snapshot(plan.ref) : undefined;
  const also = madeOf === undefined ? [showPlan] : [showPlan, savePlan];
  const detail = [
    ...placeOf(plan),
    ...plan.losses.map((loss) => `Lost: ${loss}`),
    ...plan.warnings,
    `${plan.steps.length} ${plan.steps.length === 1 ? 'step' : 'steps'}:`,
    ...plan.steps.slice(0, 6).map((step, index) => `${index + 1}. ${step.text}`),
    ...(plan.steps.length > 6 ? [`… and ${plan.steps.length - 6} more`] : []),
  ].join('\n');
  for (;;) {
    const options = { modal: true, detail };
    const answer = await vscode.window.showWarningMessage(`${plan.title}?`, options, verb, ...also);
    if (answer === showPlan) {
      await parts.documents.show(`Plan – ${verb} ${nameOf(plan.ref)}`, planText(plan));
      continue;
    }
    if (answer === savePlan && madeOf !== undefined) {
      await savePlanFile(plan, madeOf);
      continue;
    }
    if (answer !== verb) return false;
    return confirmation === 'button' || isTyped(plan, confirmation.word);
  }
}

async function isTyped(plan: Plan, word: string): Promise<boolean> {
  const typed = await vscode.window.showInputBox({
    title: plan.title,
    prompt: `${plan.losses.join(' ')} Type ${word} to go on.`,
    placeHolder: word,
    ignoreFocusOut: true,
    validateInput: (value) =>
      value === word || value === ''
        ? undefined
        : `Type ${word}, or press Escape to leave everything as it is.`,
  });
  return typed === word;
}

function nameOf(ref: ClusterRef): string {
  return isKubernetesRef(ref) ? ref.name : describeRef(ref);
}

/** Which cluster it is about, where the title does not say it. */
function placeOf({ title, ref }: Plan): readonly string[] {
  const place = describeRef(ref);
  return title.includes(place) ? [] : [place];
}

/** The plan as people read it in its document and in the log. */
function planText(plan: Plan): string {
  return [
    plan.title,
    ...placeOf(plan),
    '',
    ...plan.losses.map((loss) => `LOST: ${loss}`),
    ...plan.warnings.map((warning) => `Note: ${warning}`),
    ...plan.steps.map((step, index) => `${index + 1}. ${step.text}`),
    '',
    'Each step is checked before it runs and is safe to run twice. Cancel stops at the next safe point.',
    '',
  ].join('\n');
}
