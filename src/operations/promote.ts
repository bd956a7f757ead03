import { bytesText } from '../model/bytes.ts';
import { UserError } from '../model/errors.ts';
import type { Plan } from './plans/plan.ts';
import type { PromoteHow } from './failover/takeOver.ts';
import { nodeName, slotsText } from '../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../model/snapshot.ts';
import { nameOf, namesIn, refusal, refuseUnread } from './servers/nodes.ts';
import { refuseDuplicates } from './refusals/refuseDuplicates.ts';
import { refuseApart } from './refusals/refuseParts.ts';
import { lossesFor } from './failover/losses.ts';
import { promotable } from './refusals/promoting.ts';
import { planTakeovers } from './failover/takeovers.ts';
import { makeStep } from './steps/index.ts';

export interface PromoteRequest {
  /** The node id of the replica; for a takeover of all dead masters' places by their best replicas it may be absent. */
  readonly node?: string;
  /** Handed over by its master unless said otherwise. */
  readonly how?: PromoteHow;
  /** Masters that the caller knows to be dead, by node id; for a takeover where nothing proves it. */
  readonly dead?: readonly string[];
}

/** Bytes a replica lacks above which the master's five seconds for handing over may not be enough. */
const muchBehind = 16 * 1024 * 1024;

/** Throws a UserError where the replica cannot take over in this way; the message says which way there is. */
export function planPromote(snapshot: ClusterSnapshot, request: PromoteRequest): Plan {
  const { node: id, how = 'handOver' } = request;
  checkHow(how);
  refuseUnread(snapshot);
  refuseDuplicates(snapshot);
  if (how !== 'handOver') refuseApart(snapshot);
  if (how === 'takeover') return planTakeovers(snapshot, request);
  if (id === undefined) throw refusal('invalid-input', '"node" must be the node id of a replica.');
  const node = promotable(snapshot, id, how);
  const name = nodeName(node);
  const master = snapshot.nodes.find((other) => other.id === node.masterId);
  const from = master === undefined ? nameOf(snapshot, node.masterId ?? '') : nodeName(master);
  const slots = slotsText(master?.slots ?? []);
  const notes = {
    handOver: `from ${from} with ${slots}; clients wait about 0.1 s, and no write is lost`,
    force: `${from} with ${slots} takes no part in it`,
  };
  return {
    title: `Promote ${name}`,
    ref: snapshot.ref,
    operation: 'promote',
    request: { node: id, how },
    steps: [makeStep('promote', { node: id, how }, namesIn(snapshot), notes[how])],
    warnings: warningsFor(node, how),
    losses: how === 'handOver' ? [] : lossesFor(snapshot, node),
  };
}

function checkHow(how: string): asserts how is PromoteHow {
  if (how === 'handOver' || how === 'force' || how === 'takeover') return;
  throw new UserError(
    'invalid-input',
    '"how" must be "handOver", "force" or "takeover". Nothing was changed.',
  );
}

function warningsFor(node: RedisNode, how: PromoteHow): readonly string[] {
  if (how !== 'handOver' || (node.lagBytes ?? 0) <= muchBehind) return [];
  return [
    `${nodeName(node)} is ${bytesText(node.lagBytes ?? 0)} behind its master; the master gives up after 5 seconds if it does not catch up, and remains the master.`,
  ];
}
