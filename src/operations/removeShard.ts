import { quantity } from '../model/quantity.ts';
import { isKubernetesRef } from '../model/clusterRef.ts';
import type { MoveOptions } from '../model/moves.ts';
import type { Plan } from './plans/plan.ts';
import { mastersOf, nodeName } from '../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../model/snapshot.ts';
import { movingAs } from './slots/moveOptions.ts';
import { answers, memberOf, refusal, replicasOf } from './servers/nodes.ts';
import { judgeMoves } from './slots/judgeMoves.ts';
import { dropPods, volumeTexts, type DropFacts } from './shape/dropPods.ts';
import { movesIn } from './shape/grow.ts';
import { refuseUnsound, scalable, type ShapeFacts } from './refusals/shaping.ts';
import { shrinkSteps } from './shape/shrink.ts';

export interface RemoveShardRequest extends MoveOptions {
  /** The node id of any node of the shard. */
  readonly node: string;
  /** Whether the volumes of the pods that end are deleted too. */
  readonly volumes?: boolean;
}

/** Fewer masters cannot elect a replica when one of them fails. */
export const fewestMasters = 3;

/** Throws a UserError where the shard cannot be removed now; nothing was changed then. */
export function planRemoveShard(
  snapshot: ClusterSnapshot,
  request: RemoveShardRequest,
  facts: ShapeFacts & DropFacts,
): Plan {
  refuseUnsound(snapshot);
  const node = memberOf(snapshot, request.node);
  const master = node.role === 'master' ? node : memberOf(snapshot, node.masterId ?? '');
  const shard = [master, ...replicasOf(snapshot, master.id)];
  refuseFew(snapshot, master);
  refuseSilent(shard);
  const { volumes = false } = request;
  const common = {
    title: `Remove the shard of ${nodeName(master)}`,
    ref: snapshot.ref,
    operation: 'removeShard',
    request,
  };
  if (!isKubernetesRef(snapshot.ref)) {
    const steps = shrinkSteps(snapshot, { drained: [master], spare: shard, dropped: shard });
    const warnings = [
      `The servers of ${shard.map(nodeName).join(', ')} keep running, empty and outside the cluster.`,
    ];
    return movingAs({ ...common, steps, warnings, losses: [] }, request);
  }
  const { workload } = scalable(snapshot, facts);
  const steps = dropPods(snapshot, workload, { drained: [master], spare: shard }, volumes, facts);
  const { warnings, losses } = volumeTexts(volumes, facts, shard.length);
  const notes = [...judgeMoves(snapshot, movesIn(steps)), ...warnings];
  return movingAs({ ...common, steps, losses, warnings: notes }, request);
}

function refuseFew(snapshot: ClusterSnapshot, master: RedisNode): void {
  const left = mastersOf(snapshot).filter((one) => one.slots.length > 0 && one !== master).length;
  if (left >= fewestMasters) return;
  throw refusal(
    'unsafe',
    `${quantity(left, 'master')} would remain: with fewer than ${fewestMasters} no replica can be elected when a master fails.`,
  );
}

function refuseSilent(shard: readonly RedisNode[]): void {
  const silent = shard.filter((node) => !answers(node));
  if (silent.length === 0) return;
  throw refusal(
    'unreachable',
    `${silent.map(nodeName).join(', ')} does not answer, but must be reachable to leave the cluster.`,
  );
}
