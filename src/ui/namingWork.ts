import { runningSentence } from '../checks/workloadWork.ts';
import { isAbort, StoppedError, UserError } from '../model/errors.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import type { Parts } from './parts.ts';
import { clusterOf, namesCluster } from './questions/target.ts';

/**
 * A refusal that also names what changes the cluster meanwhile: often that is its cause, and to wait is the cure. All
 * other errors stay as they are.
 */
export async function namingWork(parts: Parts, argument: unknown, error: unknown): Promise<unknown> {
  if (!(error instanceof UserError) || error instanceof StoppedError || isAbort(error)) return error;
  if (error.reason === 'busy' || !error.message.endsWith('Nothing was changed.')) return error;
  const snapshot = await lastReading(parts, argument);
  const running = snapshot === undefined ? [] : parts.operations.workOn(snapshot);
  const going = running.filter(({ ended }) => ended !== true);
  if (going.length === 0) return error;
  const { reason, cause, help } = error;
  const options = { cause, ...(help === undefined ? {} : { help }) };
  return new UserError(reason, `${error.message} ${runningSentence(going)}`, options);
}

async function lastReading(parts: Parts, argument: unknown): Promise<ClusterSnapshot | undefined> {
  if (!namesCluster(parts, argument)) return undefined;
  try {
    return parts.inventory.snapshot(await clusterOf(parts, argument));
  } catch {
    return undefined;
  }
}
