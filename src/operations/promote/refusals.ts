import { quantity } from '../../model/quantity.ts';
import type { PromoteHow } from '../../model/plan.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { answers, canElect, isInTouch, memberOf, refusal, votersOf } from '../nodes.ts';
import { proofOfDeath } from './death.ts';

/**
 * The replica, where it may take its master's place in this way. Throws a UserError that says why not, and which way
 * there is. Used when the plan is made, and again on the reading right before the command is sent.
 */
export function promotable(snapshot: ClusterSnapshot, id: string, how: PromoteHow): RedisNode {
  const node = memberOf(snapshot, id);
  const name = nodeName(node);
  if (node.role === 'master') throw refusal('invalid-input', `${name} is a master already.`);
  if (!answers(node)) throw refusal('unreachable', `${name} does not answer.`);
  if (node.view.loading) throw refusal('unsafe', `${name} is still loading its data.`);
  const master = snapshot.nodes.find((other) => other.id === node.masterId);
  if (how === 'handOver') refuseHandOver(snapshot, node, master);
  else refuseWithoutMaster(node, master);
  if (how === 'takeover') refuseTakeover(snapshot, node);
  else refuseWithoutVotes(snapshot, node);
  return node;
}

function refuseHandOver(snapshot: ClusterSnapshot, node: RedisNode, master: RedisNode | undefined): void {
  const name = nodeName(node);
  if (!answers(master)) {
    const way = canElect(snapshot) ? 'force' : 'takeover';
    throw refusal(
      'unsafe',
      `The master of ${name} does not answer, so it cannot hand over. If the cluster does not elect a replica by itself, promote with how "${way}".`,
    );
  }
  if (isInTouch(node)) return;
  throw refusal(
    'unsafe',
    `${name} has no link to its master ${nodeName(master)} or is still copying from it. Wait until it is in step.`,
  );
}

/** Forcing is for a master that is gone: from one that is well, writes not passed on yet would be lost for nothing. */
function refuseWithoutMaster(node: RedisNode, master: RedisNode | undefined): void {
  if (answers(master) && isInTouch(node)) {
    throw refusal(
      'invalid-input',
      `The master of ${nodeName(node)}, ${nodeName(master)}, answers and is in touch with it: it can hand over without losing a write.`,
    );
  }
}

function refuseWithoutVotes(snapshot: ClusterSnapshot, node: RedisNode): void {
  if (canElect(snapshot)) return;
  const { all, silent } = votersOf(snapshot);
  throw refusal(
    'unsafe',
    `${silent.length} of ${quantity(all.length, 'master')} do not answer (${silent.map(nodeName).join(', ')}), so the others cannot elect ${nodeName(node)}. Bring one of them back, or promote with how "takeover" if they are proven dead.`,
  );
}

function refuseTakeover(snapshot: ClusterSnapshot, node: RedisNode): void {
  if (canElect(snapshot)) {
    throw refusal(
      'invalid-input',
      `Most masters answer and can elect ${nodeName(node)}: promote with how "force", which asks for their votes.`,
    );
  }
  const unproven = votersOf(snapshot).silent.filter((one) => proofOfDeath(snapshot, one) === undefined);
  if (unproven.length === 0) return;
  throw refusal(
    'unsafe',
    `Nothing proves that ${unproven.map(nodeName).join(', ')} ended: not answering is not being dead, and a master that still runs would go on taking writes that are lost when it meets the others again. Kubernetes has to say that the pod is gone or that its container has ended.`,
  );
}
