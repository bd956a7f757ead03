import * as vscode from 'vscode';
import { prepareDelete, runDelete, type Deleted } from '../../operations/delete.ts';
import { refuseApart } from '../../operations/refuseParts.ts';
import { describeRef, isKubernetesRef } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import type { Parts } from '../parts.ts';
import { toChange } from '../partToChange.ts';
import { runOperation } from '../runOperation.ts';
import { answersOf, clusterOf, picked } from '../target.ts';
import { waiting } from '../waiting.ts';

/** Deletes a cluster's objects, and its volumes only where that is asked for. */
export async function deleteCluster(parts: Parts, argument: unknown): Promise<Outcome | (Outcome & Deleted)> {
  const ref = await clusterOf(parts, argument);
  if (!isKubernetesRef(ref)) {
    throw new UserError(
      'invalid-input',
      `${describeRef(ref)} is not in Kubernetes, so it cannot be deleted from here. Remove from Tree takes it out of the view.`,
    );
  }
  const answers = answersOf(parts, argument);
  const isConfirmed = answers['confirmed'] === true;
  const volumes = await volumesIn(answers['volumes'], isConfirmed);
  const access = await parts.inventory.access(ref.context);
  const snapshot = await readIfThere(parts, ref);
  if (snapshot !== undefined) refuseApart(await toChange(parts, argument, snapshot));
  const workloads = snapshot?.workloads ?? [];
  const plan = await prepareDelete(access, ref, workloads, { volumes });
  return runOperation(parts, {
    plan,
    confirmation: isConfirmed ? 'none' : { word: ref.name },
    verb: 'Delete',
    run: async (signal, report) => {
      const { deleted } = await runDelete(plan, { access, signal, report, ...waiting });
      return { outcome: 'done' as const, message: `Deleted ${deleted.join(', ')}.`, deleted };
    },
  });
}

async function volumesIn(given: unknown, isConfirmed: boolean): Promise<boolean> {
  if (typeof given === 'boolean') return given;
  if (given !== undefined) throw new UserError('invalid-input', '"volumes" is true or false.');
  if (isConfirmed) return false;
  const keep = {
    label: 'Keep the volumes',
    description: 'the keys stay, for a cluster deployed later',
    volumes: false,
  };
  const lose = { label: 'Delete the volumes too', description: 'all keys are lost for good', volumes: true };
  const options = { title: 'Delete Cluster', placeHolder: 'What about the volumes?' };
  return (await picked(vscode.window.showQuickPick([keep, lose], options))).volumes;
}

/** What is left of a half-deleted cluster may have no node any more; it is deleted by its labels then. */
async function readIfThere(parts: Parts, ref: ClusterSnapshot['ref']): Promise<ClusterSnapshot | undefined> {
  try {
    return await parts.inventory.look(ref);
  } catch (error) {
    if (error instanceof UserError && error.reason === 'not-found') return undefined;
    throw error;
  }
}
