import { perhapsScaledDown } from '../checks/wayBack.ts';
import { quantity } from '../model/quantity.ts';
import { isKubernetesRef } from '../model/clusterRef.ts';
import { isLastCopy } from '../model/goneMembers.ts';
import type { Plan } from './plans/plan.ts';
import { makeStep, type Step } from './steps/index.ts';
import { nodeName } from '../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../model/snapshot.ts';
import { refuseLinked, refuseNeeded } from './refusals/forgetting.ts';
import { answers, nameOf, namesIn, refusal } from './servers/nodes.ts';
import { refuseIncomplete } from './refusals/refuseIncomplete.ts';

/** One node by its id, or all that the cluster lists and nobody runs. */
export interface ForgetRequest {
  readonly node?: string;
}

/** Throws a UserError where a node owns slots, is followed by replicas, or would be back at once. */
export function planForget(snapshot: ClusterSnapshot, request: ForgetRequest): Plan {
  refuseIncomplete(snapshot);
  const ids = request.node === undefined ? ghostsOf(snapshot) : [request.node];
  if (ids.length === 0) {
    throw refusal(
      'nothing-to-do',
      `${snapshot.name} lists no node that is gone, so there is nothing to forget.`,
    );
  }
  for (const id of ids) {
    refuseLinked(snapshot, id);
    refuseNeeded(snapshot, id);
  }
  const alive = snapshot.nodes.filter((node) => ids.includes(node.id) && answers(node));
  for (const node of alive) refuseRejoining(snapshot, node);
  const silent = snapshot.nodes.filter((node) => !answers(node) && !ids.includes(node.id));
  return {
    title: `Forget ${ids.length === 1 ? nameOf(snapshot, ids[0] ?? '') : quantity(ids.length, 'node')}`,
    ref: snapshot.ref,
    operation: 'forget',
    request,
    steps: ids.flatMap((id) => forgetSteps(snapshot, id)),
    warnings: [
      ...[perhapsScaledDown(snapshot)].flatMap((way) => way ?? []),
      ...silent.map(
        (node) =>
          `${nodeName(node)} does not answer, so it cannot forget them: if it returns after a minute, it introduces them again.`,
      ),
    ],
    losses: [],
  };
}

/**
 * A server that runs is made to forget the others first: it gets another id by that, and cannot bring itself back to
 * those that have not been told yet.
 */
function forgetSteps(snapshot: ClusterSnapshot, id: string): readonly Step[] {
  const node = snapshot.nodes.find((other) => other.id === id);
  const forgotten = makeStep('forget', { node: id }, namesIn(snapshot));
  return answers(node) ? [makeStep('resetNode', { node: id }, namesIn(snapshot)), forgotten] : [forgotten];
}

/** Nodes that somebody lists, that are gone, own nothing and are followed by nobody. */
function ghostsOf(snapshot: ClusterSnapshot): readonly string[] {
  const failed = snapshot.nodes.filter((node) => node.health === 'failed' && node.pod === undefined);
  const ids = [...snapshot.unknownNodes.map(({ id }) => id), ...failed.map(({ id }) => id)];
  return ids.filter((id) => {
    const node = snapshot.nodes.find((other) => other.id === id);
    return (
      (node === undefined || node.slots.length === 0) &&
      !isLastCopy(snapshot, id) &&
      !snapshot.nodes.some((other) => other.masterId === id)
    );
  });
}

function refuseRejoining(snapshot: ClusterSnapshot, node: RedisNode): void {
  if (!isKubernetesRef(snapshot.ref) || node.pod === undefined) return;
  throw refusal(
    'unsafe',
    `${nodeName(node)} is running, and its pod would join again. Scale the cluster down instead, which removes its node.`,
  );
}
