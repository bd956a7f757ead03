import type * as commandsEntry from '../allCommands.ts';
import type { Parts } from '../parts.ts';
import { showError } from '../showError.ts';

/**
 * Offers to resume what another window left: at once what it closed, and what died as soon as that is certain. What a
 * person cancelled is a row of its cluster and asks nothing. Asks no server before a person has chosen.
 * @param load the code that resumes, which is loaded only where there is something to offer
 */
export async function offerUnfinished(
  parts: Parts,
  load: () => Promise<Pick<typeof commandsEntry, 'offer'>>,
): Promise<void> {
  try {
    const ended = await parts.unfinished.reload();
    const left = ended.filter(({ end }) => end !== 'cancelled');
    const offers = left.map(async (one) => (await load()).offer(parts, one));
    const died = await parts.unfinished.findDied();
    await Promise.all([...offers, ...died.map(async (one) => (await load()).offer(parts, one))]);
  } catch (error) {
    showError(parts.log, 'Reading unfinished operations', error);
  }
}
