import { describeRef } from '../model/clusterRef.ts';
import type { Plan } from './plans/plan.ts';
import { makeStep, type StepOf } from './steps/index.ts';
import { nodeName } from '../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../model/snapshot.ts';
import { answers, isInTouch, nameOf, namesIn, refusal, replicasOf } from './servers/nodes.ts';
import { replicable } from './refusals/replicating.ts';
import { spreadReplicas } from './shape/spread.ts';
import { refuseIncomplete } from './refusals/refuseIncomplete.ts';

/** One replica and whom it is to follow, or all of them spread over masters and workers. */
export type ReplicateRequest = { readonly node: string; readonly master: string } | { readonly spread: true };

/** Throws a UserError where a replica cannot follow that master, or where nothing is to be done. */
export function planReplicate(snapshot: ClusterSnapshot, request: ReplicateRequest): Plan {
  refuseIncomplete(snapshot);
  const common = { ref: snapshot.ref, operation: 'replicate', request, losses: [] };
  if ('spread' in request) {
    const spread = spreadSteps(snapshot);
    if (spread.steps.length === 0) {
      throw refusal(
        'nothing-to-do',
        `The replicas of ${describeRef(snapshot.ref)} are already spread evenly.`,
      );
    }
    return { ...common, title: `Spread the replicas of ${snapshot.name}`, ...spread };
  }
  const { node, master } = replicable(snapshot, request.node, request.master);
  if (node.masterId === master.id) {
    throw refusal('nothing-to-do', `${nodeName(node)} is already a replica of ${nodeName(master)}.`);
  }
  return {
    ...common,
    title: `Make ${nodeName(node)} a replica of ${nodeName(master)}`,
    steps: [replicateStep(snapshot, node, master)],
    warnings: warningsFor(snapshot, node),
  };
}

/** What spreads the replicas, no steps where nothing is to be gained; throws a UserError where one cannot move now. */
export function spreadSteps(snapshot: ClusterSnapshot): Pick<Plan, 'steps' | 'warnings'> {
  const moves = spreadReplicas(snapshot);
  for (const { node, master } of moves) replicable(snapshot, node.id, master.id);
  return {
    steps: moves.map(({ node, master }) => replicateStep(snapshot, node, master)),
    warnings: [
      'One at a time: each replica drops its data and copies the other shard in full; its old shard has one replica less from then on.',
    ],
  };
}

function replicateStep(snapshot: ClusterSnapshot, node: RedisNode, master: RedisNode): StepOf<'replicate'> {
  return makeStep('replicate', { node: node.id, master: master.id }, namesIn(snapshot));
}

function warningsFor(snapshot: ClusterSnapshot, node: RedisNode): readonly string[] {
  if (node.role === 'master') return [];
  const left = replicasOf(snapshot, node.masterId ?? '').filter(
    (other) => other !== node && answers(other) && isInTouch(other),
  );
  if (left.length > 0) return [];
  return [`${nameOf(snapshot, node.masterId ?? '')} will have no replica that could take over.`];
}
