import { quantity } from '../../model/quantity.ts';
import * as vscode from 'vscode';
import { describeRef, isKubernetesRef } from '../../model/clusterRef.ts';
import type { Report } from '../../model/progress.ts';
import type { Plan } from '../../operations/plans/plan.ts';
import type { Outcome } from '../../model/outcome.ts';
import { refuseDenied } from '../../operations/refusals/refuseDenied.ts';
import { refuseReadOnly } from '../../operations/refusals/refuseReadOnly.ts';
import { canSave } from '../../operations/plans/planFile.ts';
import type { StepObserver } from '../../operations/run/runPlan.ts';
import type { Asking, TypedWord } from '../questions/asking.ts';
import { journaled } from './journaled.ts';
import { withExecNote, withLeaseWarning, withOperatorWarning } from './oneAtATime.ts';
import type { Parts } from '../parts.ts';
import { savePlanFile } from './planFiles.ts';
import { runWithProgress } from './runWithProgress.ts';
import { readSettings } from '../settings.ts';

interface Change<T> {
  readonly plan: Plan;
  /** Who answers, from which follows how the plan is confirmed. */
  readonly asking: Asking;
  /** The verb on the dialog's button. */
  readonly verb: string;
  readonly run: (signal: AbortSignal, report: Report, observer: StepObserver) => Promise<T>;
}

/**
 * Shows the plan, asks, runs it with progress and cancel as the cluster's one operation. Errors are the caller's
 * caller's: every command ends in one place that shows them.
 */
export async function runOperation<T extends { readonly message: string }>(
  parts: Parts,
  { plan: asPlanned, asking, verb, run }: Change<T>,
): Promise<(Outcome & { readonly outcome: 'cancelled' }) | T> {
  const { plan, decision, isShown } = await confirm(parts, { plan: asPlanned, asking, verb });
  if (decision !== 'run') return notRun(plan, decision);
  const result = await runWithProgress(parts, plan, (signal, report) =>
    journaled(parts, plan, (observer) => run(signal, report, observer)),
  );
  // Whoever was asked is told; a caller that has answered everything reads the result.
  if (isShown) void vscode.window.showInformationMessage(result.message);
  return result;
}

/** What was decided about a plan, with the notes that it was shown with. */
interface Decided {
  readonly plan: Plan;
  readonly decision: 'run' | 'saved' | 'leave';
  /** Whether anybody was asked. */
  readonly isShown: boolean;
}

/** Shows a plan to whom it concerns. Throws a UserError where the cluster is read-only. */
export async function confirm(
  parts: Parts,
  { plan: asPlanned, asking, verb }: Omit<Change<unknown>, 'run'>,
): Promise<Decided> {
  refuseReadOnly(asPlanned.ref, readSettings().guards);
  const read = parts.inventory.snapshot(asPlanned.ref);
  if (read !== undefined) refuseDenied(read);
  const shared = withExecNote(parts, await withLeaseWarning(parts, asPlanned));
  const plan = await withOperatorWarning(parts, shared);
  parts.log.info(`${plan.title}: plan for ${describeRef(plan.ref)}\n${planText(parts, plan)}`);
  const confirmation = asking.confirmationOf(plan);
  const decision = await decide(parts, plan, confirmation, verb);
  // It may have become so while the dialog was open.
  if (decision === 'run') refuseReadOnly(plan.ref, readSettings().guards);
  return { plan, decision, isShown: confirmation !== 'none' };
}

/** How a command ends whose plan was not run. */
export function notRun(
  { title }: Plan,
  decision: Decided['decision'],
): Outcome & { readonly outcome: 'cancelled' } {
  const how = decision === 'saved' ? 'plan saved' : 'cancelled';
  return { outcome: 'cancelled', message: `${title}: ${how}. Nothing was changed.` };
}

/** Shows the plan until it is decided what becomes of it. One that was saved is open now, with Run above it. */
async function decide(
  parts: Parts,
  plan: Plan,
  confirmation: ReturnType<Asking['confirmationOf']>,
  verb: string,
): Promise<'run' | 'saved' | 'leave'> {
  if (confirmation === 'none') return 'run';
  const showPlan = 'Show Plan';
  const savePlan = 'Save Plan…';
  // What the plan was made of, as a reading of now could be of another state.
  const madeOf = parts.inventory.snapshot(plan.ref);
  const saved = madeOf !== undefined && canSave(plan) ? { plan, madeOf } : undefined;
  const also = saved === undefined ? [showPlan] : [showPlan, savePlan];
  for (;;) {
    const options = { modal: true, detail: detailText(parts, plan) };
    const answer = await vscode.window.showWarningMessage(`${plan.title}?`, options, verb, ...also);
    if (answer === showPlan) {
      await parts.documents.show(
        `Plan – ${verb} ${parts.inventory.titleOf(plan.ref)}`,
        planText(parts, plan),
      );
      continue;
    }
    if (answer === savePlan && saved !== undefined) {
      if (await savePlanFile(saved.plan, saved.madeOf)) return 'saved';
      continue;
    }
    if (answer !== verb) return 'leave';
    if (confirmation === 'button') return 'run';
    for (const word of confirmation.words) if (!(await isTyped(plan, word))) return 'leave';
    return 'run';
  }
}

async function isTyped(plan: Plan, { word, why }: TypedWord): Promise<boolean> {
  const typed = await vscode.window.showInputBox({
    title: plan.title,
    prompt: `${why} Type “${word}” to confirm.`,
    placeHolder: word,
    ignoreFocusOut: true,
    validateInput: (value) =>
      value === word || value === '' ? undefined : `Type “${word}” to confirm, or press Escape to cancel.`,
  });
  return typed === word;
}

/** What the dialog says of a plan beside its title. */
function detailText(parts: Parts, plan: Plan): string {
  const notes = [...plan.losses.map((loss) => `Cannot be undone: ${loss}`), ...plan.warnings];
  return [
    ...placeOf(parts, plan),
    ...(notes.length === 0 ? [] : ['', ...notes]),
    ...(plan.steps.length === 0 ? [] : ['', `${quantity(plan.steps.length, 'step')}:`]),
    ...plan.steps.slice(0, 6).map((step, index) => `${index + 1}. ${step.text}`),
    ...(plan.steps.length > 6 ? [`… and ${quantity(plan.steps.length - 6, 'more step')}`] : []),
  ]
    .join('\n')
    .trimStart();
}

/** Which cluster it is about, where the title does not say it. */
function placeOf({ inventory }: Parts, { title, ref }: Plan): readonly string[] {
  const place = describeRef(ref);
  if (title.includes(place)) return [];
  return [isKubernetesRef(ref) ? place : `${inventory.titleOf(ref)} · ${place}`];
}

/** The plan as people read it in its document and in the log. */
function planText(parts: Parts, plan: Plan): string {
  return [
    plan.title,
    ...placeOf(parts, plan),
    '',
    ...plan.losses.map((loss) => `Cannot be undone: ${loss}`),
    ...plan.warnings.map((warning) => `Note: ${warning}`),
    ...plan.steps.map((step, index) => `${index + 1}. ${step.text}`),
    '',
    'Each step is checked before it runs and can safely run twice. Cancel stops the operation at the next safe point.',
    '',
  ].join('\n');
}
