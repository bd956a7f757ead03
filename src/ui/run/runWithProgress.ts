import * as vscode from 'vscode';
import { claimOf } from '../../inventory/claims.ts';
import { countText, type Progress, type Report } from '../../model/progress.ts';
import type { Plan } from '../../operations/plans/plan.ts';
import { asTheOnlyOne } from './oneAtATime.ts';
import type { Parts } from '../parts.ts';

/**
 * Works as the cluster's one operation, in this window and by its Lease, with a notification that shows how far it is and
 * can cancel it.
 * @param work its first signal ends also where the Lease is lost, its last one only where somebody cancels
 */
export async function runWithProgress<T>(
  parts: Parts,
  plan: Plan,
  work: (signal: AbortSignal, report: Report, cancelled: AbortSignal) => Promise<T>,
): Promise<T> {
  const options = { location: vscode.ProgressLocation.Notification, title: plan.title, cancellable: true };
  // Its nodes are dialled by what is read of them, whether or not a view still needs that.
  const release = parts.inventory.need(claimOf(plan.ref));
  try {
    return await vscode.window.withProgress(options, (progress, token) =>
      parts.operations.run(plan, async (signal, report) => {
        token.onCancellationRequested(() => parts.operations.cancel(plan.ref));
        let shown = 0;
        const show: Report = (step) => {
          report(step);
          const percent =
            step.total === undefined || step.total === 0 ? shown : (100 * (step.done ?? 0)) / step.total;
          progress.report({ message: progressText(step), increment: Math.max(0, percent - shown) });
          shown = Math.max(shown, percent);
        };
        return asTheOnlyOne(parts, plan, signal, (shared) => work(shared, show, signal));
      }),
    );
  } finally {
    release();
  }
}

/** How far it is, and what it does or waits for. */
export function progressText(progress: Progress): string {
  return [...countText(progress), progress.paused ?? progress.text].join(' · ');
}
