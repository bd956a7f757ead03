import { quantity } from '../../model/quantity.ts';
import * as vscode from 'vscode';
import { agreed } from '../../operations/servers/agreed.ts';
import { refuseUnread } from '../../operations/servers/nodes.ts';
import { refuseOwned, refuseSeveral } from '../../operations/statefulSets/owner.ts';
import { requireRights, scaleRights } from '../../operations/statefulSets/rights.ts';
import type { Plan } from '../../operations/plans/plan.ts';
import { planScale } from '../../operations/scale.ts';
import { changesShape, planScaleShape, type ShapeRequest } from '../../operations/scaleShape.ts';
import { isKubernetesRef, type KubernetesClusterRef } from '../../model/clusterRef.ts';
import { stoppedSet } from '../../model/goneMembers.ts';
import { mastersOf } from '../../model/shards.ts';
import { messageOf } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { bringsBack, planScaleBack } from '../../operations/scaleBack.ts';
import { readPodVolumes } from '../../operations/statefulSets/scaledDown.ts';
import { Asking } from '../questions/asking.ts';
import { moveOptionsIn } from '../questions/moveOptions.ts';
import type { Parts } from '../parts.ts';
import { toChange } from '../questions/partToChange.ts';
import { runPlanned } from '../run/runPlanned.ts';
import { shapeFactsOf } from '../shapeFacts.ts';
import { numberAnswer, picked } from '../questions/target.ts';

interface Scaled {
  readonly pods: number;
  readonly masters: number;
  readonly replicas: number;
}

/**
 * Brings a cluster to another shape. Where only replicas are added, the pods' agents let them join; slots and roles
 * are moved first where masters are added, or where anything is taken away.
 */
export async function scale(parts: Parts, argument: unknown): Promise<Outcome | (Outcome & Scaled)> {
  const asking = new Asking(parts, argument);
  const asked = await asking.cluster();
  const snapshot = await toChange(parts, argument, await agreed(() => parts.inventory.look(asked)));
  if (stoppedSet(snapshot) === undefined) refuseUnread(snapshot);
  const { answers } = asking;
  const options = moveOptionsIn(answers);
  const given = {
    pods: numberAnswer(answers, 'pods'),
    masters: numberAnswer(answers, 'masters'),
    replicasPerMaster: numberAnswer(answers, 'replicasPerMaster'),
  };
  const known = Object.entries(given).filter(([, value]) => value !== undefined);
  const request = await asking.or<ShapeRequest>(
    known.length === 0 ? undefined : Object.fromEntries(known),
    () => askShape(snapshot),
  );
  if (isKubernetesRef(snapshot.ref) && bringsBack(snapshot, request)) {
    return scaleBack(parts, asking, snapshot, snapshot.ref, request);
  }
  const volumes = answers['volumes'] === true;
  const plan = changesShape(snapshot, request)
    ? planScaleShape(
        snapshot,
        { ...request, ...(volumes ? { volumes } : {}), ...options },
        await shapeFactsOf(parts, snapshot, volumes),
      )
    : await planReplicas(parts, snapshot, request);
  const result = await runPlanned(parts, {
    plan,
    asking,
    verb: 'Scale',
    message: ({ movedSlots, seconds, cancelled }) =>
      `${cancelled ? 'Started to scale' : 'Scaled'} ${snapshot.name} in ${seconds.toFixed(1)} s; ${quantity(movedSlots, 'slot')} moved`,
  });
  const now = parts.inventory.snapshot(plan.ref);
  return result.outcome === 'done' && now !== undefined ? { ...result, ...shapeOf(now) } : result;
}

/** More pods, whose agents make them replicas. */
async function planReplicas(parts: Parts, snapshot: ClusterSnapshot, request: ShapeRequest): Promise<Plan> {
  const plan = planScale(snapshot, request);
  if (!isKubernetesRef(plan.ref)) return plan;
  const { context, namespace } = plan.ref;
  const access = await parts.inventory.access(context);
  await refuseSeveral(access, snapshot);
  for (const { name } of snapshot.workloads) await refuseOwned(access, namespace, name);
  await requireRights(access, namespace, scaleRights);
  return plan;
}

/** The shape as it was read last. */
function shapeOf(snapshot: ClusterSnapshot): Scaled {
  const masters = mastersOf(snapshot).length;
  const pods = snapshot.workloads.reduce((sum, { replicas }) => sum + replicas, 0);
  return { pods, masters, replicas: snapshot.nodes.length - masters };
}

/** Scales a stopped StatefulSet up again: the pods return with their volumes, and their nodes rejoin by themselves. */
async function scaleBack(
  parts: Parts,
  asking: Asking,
  snapshot: ClusterSnapshot,
  { context, namespace }: KubernetesClusterRef,
  request: ShapeRequest,
): Promise<Outcome> {
  const access = await parts.inventory.access(context);
  for (const { name } of snapshot.workloads) await refuseOwned(access, namespace, name);
  await requireRights(access, namespace, scaleRights);
  const plan = planScaleBack(snapshot, request, await readPodVolumes(access, snapshot));
  return runPlanned(parts, {
    plan,
    asking,
    verb: 'Scale',
    evenUnread: true,
    message: ({ seconds, cancelled }) =>
      cancelled
        ? 'Not all pods are ready yet'
        : `${snapshot.name}: all pods are ready again after ${seconds.toFixed(1)} s`,
  });
}

async function askShape(snapshot: ClusterSnapshot): Promise<ShapeRequest> {
  const now = snapshot.workloads.reduce((sum, workload) => sum + workload.replicas, 0);
  const text = await picked(
    vscode.window.showInputBox({
      title: `Scale ${snapshot.name}`,
      prompt: `Currently ${quantity(now, 'pod')}${shapeText(snapshot)}. Enter a number of pods, or masters × replicas per master, such as 4x1.`,
      value: String(now + 1),
      ignoreFocusOut: true,
      validateInput: (value) => {
        try {
          const request = shapeIn(value);
          if (bringsBack(snapshot, request)) planScaleBack(snapshot, request, undefined);
          else if (changesShape(snapshot, request)) planScaleShape(snapshot, request, {});
          else planScale(snapshot, request);
          return undefined;
        } catch (error) {
          return messageOf(error);
        }
      },
    }),
  );
  return shapeIn(text);
}

/** The masters and replicas that the cluster has now; empty while no node was read. */
function shapeText(snapshot: ClusterSnapshot): string {
  const masters = mastersOf(snapshot).length;
  const replicas = snapshot.nodes.length - masters;
  if (masters === 0) return '';
  return replicas % masters === 0
    ? ` (${quantity(masters, 'master')} × ${quantity(replicas / masters, 'replica')})`
    : ` (${quantity(masters, 'master')}, ${quantity(replicas, 'replica')})`;
}

function shapeIn(text: string): ShapeRequest {
  const [, masters, replicas] = /^\s*(\d+)\s*[x×]\s*(\d+)\s*$/.exec(text) ?? [];
  if (masters === undefined) return { pods: Number(text) };
  return { masters: Number(masters), replicasPerMaster: Number(replicas) };
}
