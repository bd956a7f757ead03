import type { NodeReader } from './nodeReader.ts';
import { pace } from './pace.ts';

/**
 * Has every reader read once and ends when all have, or when a round may take no longer: an answer that comes later
 * counts in a later round. A patient round, and one with a node never asked before, waits for two attempts of a node.
 * @param isPatient somebody waits for the answer, so that nodes are also asked again that have just failed
 */
export async function readRound(readers: readonly NodeReader[], isPatient: boolean): Promise<void> {
  const waits = isPatient || readers.some(({ reading }) => !reading.tried);
  const reads = readers.map((reader) => (isPatient ? reader.readAfresh() : reader.read()));
  const limit = new Promise<void>((resolve) => {
    setTimeout(resolve, waits ? pace.patientLimitMs : pace.roundLimitMs);
  });
  await Promise.race([Promise.all(reads), limit]);
}
