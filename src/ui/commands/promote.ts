import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { Plan, PromoteHow } from '../../model/plan.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { planPromote } from '../../operations/promote.ts';
import { confirmationOf } from '../confirmation.ts';
import type { Parts } from '../parts.ts';
import { runPlanned } from '../runPlanned.ts';
import { answersOf, clusterOf, pickNode, rowTarget, textAnswer } from '../target.ts';

/** Makes a chosen replica the master of its shard: handed over, or where the master is gone by force. */
export async function promote(parts: Parts, argument: unknown): Promise<Outcome> {
  const snapshot = await parts.inventory.fresh(await clusterOf(parts, argument));
  const answers = answersOf(parts, argument);
  const target = rowTarget(parts, argument);
  const given = target?.kind === 'node' ? target.nodeId : textAnswer(answers, 'node');
  const node = given ?? (await pickReplica(snapshot)).id;
  const how = textAnswer(answers, 'how') as PromoteHow | undefined;
  const plan = how === undefined ? gentlest(snapshot, node) : planPromote(snapshot, { node, how });
  return runPlanned(parts, {
    plan,
    confirmation: confirmationOf(plan, snapshot, answers, answers['node'] === undefined),
    verb: 'Promote',
    message: ({ seconds, cancelled }) =>
      cancelled
        ? 'the shard has the master it had'
        : `${nameIn(snapshot, node)} is the master of its shard, after ${seconds.toFixed(1)} s`,
  });
}

/** The first way that is possible. Where none is, why it cannot be handed over says what to do. */
function gentlest(snapshot: ClusterSnapshot, node: string): Plan {
  let refused: unknown;
  for (const how of ['handOver', 'force', 'takeover'] as const) {
    try {
      return planPromote(snapshot, { node, how });
    } catch (error) {
      if (!(error instanceof UserError) || error.reason !== 'unsafe') throw refused ?? error;
      refused ??= error;
    }
  }
  throw refused;
}

async function pickReplica(snapshot: ClusterSnapshot): Promise<RedisNode> {
  const replicas = snapshot.nodes.filter(({ role, view }) => role === 'replica' && view !== undefined);
  return await pickNode(snapshot, 'Which replica is to become master?', replicas);
}

function nameIn(snapshot: ClusterSnapshot, id: string): string {
  const node = snapshot.nodes.find((one) => one.id === id);
  return node === undefined ? id : nodeName(node);
}
