import * as vscode from 'vscode';
import { planDelete } from '../../operations/delete.ts';
import { findClusterObjects } from '../../operations/statefulSets/clusterObjects.ts';
import { refuseApart } from '../../operations/refusals/refuseParts.ts';
import { describeRef, isKubernetesRef } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { PlanResult } from '../../operations/run/planResult.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { toChange } from '../questions/partToChange.ts';
import { runPlanned } from '../run/runPlanned.ts';
import { picked, type Answers } from '../questions/target.ts';

/** Deletes a cluster's objects, and its volumes only where that is asked for. */
export async function deleteCluster(
  parts: Parts,
  argument: unknown,
): Promise<Outcome | (Outcome & PlanResult)> {
  const asking = new Asking(parts, argument);
  const ref = await asking.cluster();
  if (!isKubernetesRef(ref)) {
    throw new UserError(
      'invalid-input',
      `${describeRef(ref)} is not in Kubernetes, so it cannot be deleted here. Use “Remove from Tree” to remove it from the view.`,
    );
  }
  const { answers } = asking;
  const given = volumesIn(answers);
  const access = await parts.inventory.access(ref.context);
  const snapshot = await readIfThere(parts, ref);
  if (snapshot !== undefined) refuseApart(await toChange(parts, argument, snapshot));
  const clusterObjects = await findClusterObjects(access, ref, snapshot?.workloads ?? []);
  // Nobody is asked before it is known that the cluster may be deleted.
  const volumes = await asking.or(given, askVolumes);
  const plan = planDelete(ref, clusterObjects, { volumes }, snapshot?.nodes);
  return runPlanned(parts, {
    ...{ plan, asking, verb: 'Delete' },
    message: ({ deleted = ['nothing'] }) => `Deleted ${deleted.join(', ')}`,
  });
}

function volumesIn({ volumes, confirmed }: Answers): boolean | undefined {
  if (typeof volumes === 'boolean') return volumes;
  if (volumes !== undefined) throw new UserError('invalid-input', '"volumes" must be true or false.');
  return confirmed === true ? false : undefined;
}

async function askVolumes(): Promise<boolean> {
  const keep = {
    label: 'Keep Volumes',
    description: 'keeps all keys for a cluster deployed later',
    volumes: false,
  };
  const lose = { label: 'Delete Volumes', description: 'permanently deletes all keys', volumes: true };
  const options = { title: 'Delete Cluster', placeHolder: 'Select what happens to the volumes' };
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
