import { isAbort, messageOf } from '../../model/errors.ts';
import type { Plan } from '../../operations/plans/plan.ts';
import { closedByWindow, openJournal, type OpenJournal } from '../../operations/run/journal.ts';
import type { StepObserver } from '../../operations/run/runPlan.ts';
import type { Parts } from '../parts.ts';

/**
 * Records in a journal what the work does, so that it can be resumed if this window dies. If the journal cannot be
 * written, such as on a full disk, the log says so and the work continues.
 */
export async function journaled<T extends { readonly message: string }>(
  { journals, log, operations, unfinished }: Parts,
  plan: Plan,
  work: (observer: StepObserver) => Promise<T>,
): Promise<T> {
  const tolerant = async <R>(writing: Promise<R>): Promise<R | undefined> => {
    try {
      return await writing;
    } catch (error) {
      log.warn(`The journal of “${plan.title}” cannot be written: ${messageOf(error)}`);
      return undefined;
    }
  };
  const journal = await tolerant(openJournal(journals, plan));
  const cancelled = (): string => (operations.closing ? closedByWindow : 'cancelled');
  const close = async (...end: Parameters<OpenJournal['close']>): Promise<void> => {
    await tolerant(journal?.close(...end) ?? Promise.resolve());
    await tolerant(unfinished.reload());
  };
  if (journal === undefined) return await work({ begun: nothing, ended: nothing });
  try {
    const result = await work({
      begun: async (index) => tolerant(journal.observer.begun(index)),
      ended: async (index, how) => tolerant(journal.observer.ended(index, how)),
    });
    const outcome = 'outcome' in result ? String(result.outcome) : 'done';
    await close(outcome === 'cancelled' ? cancelled() : outcome, result.message);
    return result;
  } catch (error) {
    await close(isAbort(error) ? cancelled() : 'failed', messageOf(error));
    throw error;
  }
}

function nothing(): Promise<void> {
  return Promise.resolve();
}
