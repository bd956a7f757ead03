import { memberCount } from '../checks/wayBack.ts';
import { describeRef } from '../model/clusterRef.ts';
import type { Plan } from './plans/plan.ts';
import { goneMembers, podNameOf, stoppedSet, type ScaledDown } from '../model/goneMembers.ts';
import { quantity } from '../model/quantity.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import { formatSlots } from '../model/slots.ts';
import { refusal } from './servers/nodes.ts';
import { refuseIncomplete } from './refusals/refuseIncomplete.ts';
import type { ScaleRequest } from './scale.ts';
import { readyStep } from './shape/grow.ts';
import type { PodVolumes } from './statefulSets/scaledDown.ts';
import { makeStep } from './steps/index.ts';

/** The number of pods a request says by itself; undefined where it depends on the masters there are. */
function podsIn({ pods, masters, replicasPerMaster }: ScaleRequest): number | undefined {
  if (pods !== undefined) return pods;
  return masters === undefined || replicasPerMaster === undefined
    ? undefined
    : masters * (1 + replicasPerMaster);
}

/** Whether the request would bring back members that went with a StatefulSet's replicas. */
export function bringsBack(snapshot: ClusterSnapshot, request: ScaleRequest): boolean {
  const workload = goneMembers(snapshot)?.workload ?? stoppedSet(snapshot);
  const pods = podsIn(request);
  return workload !== undefined && pods !== undefined && Number.isInteger(pods) && pods > workload.replicas;
}

/**
 * Plans to have members back whose pods went when the replicas of their StatefulSet were lowered below them: their pods
 * start again on their volumes, with the ids they had. It is the cure, so an unhealthy cluster is no obstacle. Throws a
 * UserError where more pods are asked for than were there.
 * @param volumes those of the pods above the present replicas; undefined where they could not be listed
 */
export function planScaleBack(
  snapshot: ClusterSnapshot,
  request: ScaleRequest,
  volumes: readonly PodVolumes[] | undefined,
): Plan {
  const stopped = stoppedSet(snapshot);
  if (stopped === undefined) refuseIncomplete(snapshot);
  const gone = goneMembers(snapshot);
  const workload = gone?.workload ?? stopped;
  const pods = podsIn(request);
  if (workload === undefined || pods === undefined) throw new TypeError('no member would come back');
  const most = Math.max(memberCount(snapshot), ...(volumes ?? []).map(({ ordinal }) => ordinal + 1));
  // Without members and volumes nobody knows how many there were.
  if (pods > most && most > 0) {
    throw refusal(
      'unsafe',
      `Pods of ${describeRef(snapshot.ref)} with members of the cluster are gone. Scale to ${quantity(most, 'pod')} first, which brings them back; add others when the cluster is healthy again.`,
    );
  }
  const names = Array.from(
    { length: pods - workload.replicas },
    (_, index) => `${workload.name}-${workload.replicas + index}`,
  );
  const claimsOf = (name: string): readonly string[] =>
    volumes?.find(({ pod }) => pod === name)?.claims ?? [];
  const empty = volumes === undefined ? [] : names.filter((name) => claimsOf(name).length === 0);
  const kept = names.filter((name) => claimsOf(name).length > 0);
  return {
    title: `Scale ${describeRef(snapshot.ref)} from ${workload.replicas} back to ${quantity(pods, 'pod')}`,
    ref: snapshot.ref,
    operation: 'scale',
    request,
    steps: [
      makeStep(
        'setReplicas',
        { workload: workload.name, from: workload.replicas, pods },
        String,
        kept.length === 0 ? undefined : `brings back ${listed(kept)} with their volumes`,
      ),
      readyStep(workload.name, pods),
    ],
    warnings: [
      ...(volumes === undefined
        ? [
            'Whether the volumes of these pods are kept is unknown: you are not allowed to list persistentvolumeclaims.',
          ]
        : []),
      ...empty.map((name) => emptyText(snapshot, gone?.nodes ?? [], name)),
      ...(stopped === undefined ? [] : stoppedWarnings(pods, most)),
    ],
    losses: [],
  };
}

/** @param most pods of which there are volumes */
function stoppedWarnings(pods: number, most: number): readonly string[] {
  const heal =
    'All pods start at new addresses. If nodes do not find each other by themselves, “Heal Cluster…” introduces them.';
  return pods >= most
    ? [heal]
    : [`Volumes of ${quantity(most, 'pod')} exist: scale to ${most} to bring back all members.`, heal];
}

/** What is lost already, and does not come back with the pod. */
function emptyText(snapshot: ClusterSnapshot, nodes: ScaledDown['nodes'], name: string): string {
  const node = nodes.find(({ id }) => podNameOf(snapshot, id) === name);
  const slots =
    node === undefined || node.slots.length === 0 ? '' : `, which served slots ${formatSlots(node.slots)}`;
  return `${name} comes back empty: its volume is gone. Keys that only this node had${slots} are already lost.`;
}

function listed(names: readonly string[]): string {
  const [first = '', ...others] = names;
  const last = others.at(-1);
  return others.length > 2 ? `${first} … ${last ?? ''}` : names.join(', ');
}
