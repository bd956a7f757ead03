import * as vscode from 'vscode';
import { UserError } from '../../model/errors.ts';
import { quantity } from '../../model/quantity.ts';
import type { Outcome } from '../../model/outcome.ts';
import { mastersOf } from '../../model/shards.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { planReplicate, type ReplicateRequest } from '../../operations/replicate.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { toChange } from '../questions/partToChange.ts';
import { runPlanned } from '../run/runPlanned.ts';
import { picked, pickNode, textAnswer, type Answers } from '../questions/target.ts';

/** Moves a replica to another master, or spreads all replicas evenly across masters and Kubernetes nodes. */
export async function replicate(parts: Parts, argument: unknown): Promise<Outcome> {
  const asking = new Asking(parts, argument);
  const snapshot = await toChange(parts, argument, await parts.inventory.fresh(await asking.cluster()));
  const { answers, target } = asking;
  const given = requestIn(answers);
  const node = target?.kind === 'node' ? target.nodeId : textAnswer(answers, 'node');
  const request = await asking.or(given, () => askRequest(snapshot, node));
  const plan = planReplicate(snapshot, request);
  return runPlanned(parts, {
    plan,
    asking,
    verb: `Move ${quantity(plan.steps.length, 'Replica')}`,
    message: ({ steps, seconds }) =>
      `Moved and synchronized ${steps} of ${quantity(plan.steps.length, 'replica')} in ${seconds.toFixed(1)} s`,
  });
}

function requestIn(answers: Answers): ReplicateRequest | undefined {
  const [node, master] = [textAnswer(answers, 'node'), textAnswer(answers, 'master')];
  if (answers['spread'] === true) {
    if (node === undefined && master === undefined) return { spread: true };
    throw new UserError('invalid-input', 'Pass either "node" and "master", or "spread": true.');
  }
  return node === undefined || master === undefined ? undefined : { node, master };
}

async function askRequest(snapshot: ClusterSnapshot, node: string | undefined): Promise<ReplicateRequest> {
  const id = node ?? (await askNode(snapshot));
  if (id === undefined) return { spread: true };
  const own = snapshot.nodes.find((one) => one.id === id);
  const masters = mastersOf(snapshot).filter(
    (one) => one.id !== id && one.id !== own?.masterId && one.slots.length > 0,
  );
  return {
    node: id,
    master: (await pickNode(snapshot, 'Select the new master of the replica', masters, titleOf(snapshot))).id,
  };
}

/** Undefined where all are to be spread. */
async function askNode(snapshot: ClusterSnapshot): Promise<string | undefined> {
  const one = { label: 'Move One Replica…', spread: false };
  const all = {
    label: 'Spread All Replicas',
    description: 'evenly across masters, then across Kubernetes nodes',
    spread: true,
  };
  const options = { title: titleOf(snapshot), placeHolder: 'Select which replicas to move' };
  const { spread } = await picked(vscode.window.showQuickPick([one, all], options));
  if (spread) return undefined;
  const replicas = snapshot.nodes.filter(({ role }) => role === 'replica');
  return (await pickNode(snapshot, 'Select the replica to move', replicas, titleOf(snapshot))).id;
}

function titleOf({ name }: ClusterSnapshot): string {
  return `Move or Spread Replicas of ${name}`;
}
