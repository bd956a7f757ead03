import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { Plan } from '../../operations/plans/plan.ts';
import type { PromoteHow } from '../../operations/failover/takeOver.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { votersOf } from '../../operations/servers/nodes.ts';
import { planPromote } from '../../operations/promote.ts';
import { presumedDead } from '../../operations/refusals/promoting.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { toChange } from '../questions/partToChange.ts';
import { runPlanned } from '../run/runPlanned.ts';
import { deadIn, pickNode, textAnswer } from '../questions/target.ts';

/**
 * Makes a chosen replica the master of its shard: handed over, or where the master is gone by force. Where most masters
 * are gone and nothing proves that they are dead, the person who types the cluster's name says so.
 */
export async function promote(parts: Parts, argument: unknown): Promise<Outcome> {
  const asking = new Asking(parts, argument);
  const read = await parts.inventory.fresh(await asking.cluster());
  const snapshot = votersOf(read).silent.length === 0 ? read : await toChange(parts, argument, read);
  const { answers, target } = asking;
  const how = textAnswer(answers, 'how') as PromoteHow | undefined;
  const given = target?.kind === 'node' ? target.nodeId : textAnswer(answers, 'node');
  const pick = async (): Promise<string> => (await pickReplica(snapshot)).id;
  const node = how === 'takeover' ? given : await asking.or(given, pick);
  const dead = deadIn(answers) ?? (answers['confirmed'] === true ? [] : presumedDead(snapshot));
  const request = node === undefined ? {} : { node };
  const plan =
    how === undefined ? gentlest(snapshot, request, dead) : planPromote(snapshot, { ...request, how, dead });
  return runPlanned(parts, {
    plan,
    asking,
    verb: 'Promote',
    message: ({ seconds, cancelled }) =>
      cancelled
        ? 'Not all shards have a new master yet'
        : `${promoted(plan, snapshot)} in ${seconds.toFixed(1)} s`,
  });
}

/** The first way that is possible. Where none is, why the last one is not says what to do. */
function gentlest(
  snapshot: ClusterSnapshot,
  request: { readonly node?: string },
  dead: readonly string[],
): Plan {
  let refused: unknown;
  for (const how of ['handOver', 'force', 'takeover'] as const) {
    try {
      return planPromote(snapshot, { ...request, how, dead });
    } catch (error) {
      if (!(error instanceof UserError) || error.reason !== 'unsafe') throw refused ?? error;
      refused = error;
    }
  }
  throw refused;
}

async function pickReplica(snapshot: ClusterSnapshot): Promise<RedisNode> {
  const replicas = snapshot.nodes.filter(({ role, view }) => role === 'replica' && view !== undefined);
  return await pickNode(
    snapshot,
    'Select the replica to promote',
    replicas,
    `Promote Replica of ${snapshot.name}`,
  );
}

function promoted({ steps }: Plan, { nodes }: ClusterSnapshot): string {
  const names = steps.flatMap((step) => {
    const node = step.kind === 'promote' ? nodes.find(({ id }) => id === step.node) : undefined;
    return node === undefined ? [] : [nodeName(node)];
  });
  return `Promoted ${names.join(', ')} to master`;
}
