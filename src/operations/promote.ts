import { quantity } from '../model/quantity.ts';
import { UserError } from '../model/errors.ts';
import type { Plan, PromoteHow } from '../model/plan.ts';
import { nodeName, slotsText } from '../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../model/snapshot.ts';
import { answers, nameOf, refuseUnread, replicasOf, votersOf } from './nodes.ts';
import { refuseApart } from './refuseParts.ts';
import { proofOfDeath } from './promote/death.ts';
import { promotable } from './promote/refusals.ts';

export interface PromoteRequest {
  /** The node id of the replica. */
  readonly node: string;
  /** Handed over by its master unless said otherwise. */
  readonly how?: PromoteHow;
}

/** Bytes a replica lacks above which the master's five seconds for handing over may not be enough. */
const muchBehind = 16 * 1024 * 1024;

/** Throws a UserError where the replica cannot take over in this way; the message says which way there is. */
export function planPromote(snapshot: ClusterSnapshot, { node: id, how = 'handOver' }: PromoteRequest): Plan {
  checkHow(how);
  refuseUnread(snapshot);
  if (how !== 'handOver') refuseApart(snapshot);
  const node = promotable(snapshot, id, how);
  const name = nodeName(node);
  const master = snapshot.nodes.find((other) => other.id === node.masterId);
  const from = master === undefined ? nameOf(snapshot, node.masterId ?? '') : nodeName(master);
  const slots = slotsText(master?.slots ?? []);
  const texts: Readonly<Record<PromoteHow, string>> = {
    handOver: `${from} hands ${slots} over to ${name}; clients wait for about a tenth of a second, no write is lost`,
    force: `${name} has itself elected by the other masters without its master ${from}`,
    takeover: `${name} takes ${slots} of ${from} without asking anybody`,
  };
  return {
    title: `Promote ${name}`,
    ref: snapshot.ref,
    operation: 'promote',
    request: { node: id, how },
    steps: [{ kind: 'promote', node: id, how, text: texts[how] }],
    warnings: warningsFor(snapshot, node, how),
    losses: how === 'handOver' ? [] : lossesFor(snapshot, node, how),
  };
}

function checkHow(how: string): asserts how is PromoteHow {
  if (how === 'handOver' || how === 'force' || how === 'takeover') return;
  throw new UserError('invalid-input', '"how" is "handOver", "force" or "takeover". Nothing was changed.');
}

function warningsFor(snapshot: ClusterSnapshot, node: RedisNode, how: PromoteHow): readonly string[] {
  const warnings: string[] = [];
  if (how === 'handOver' && (node.lagBytes ?? 0) > muchBehind) {
    warnings.push(
      `${nodeName(node)} lacks ${(node.lagBytes ?? 0).toLocaleString('en-US')} bytes; the master gives up after 5 seconds if it does not catch up, and goes on as before.`,
    );
  }
  if (how === 'takeover') {
    for (const dead of votersOf(snapshot).silent) {
      warnings.push(`${nodeName(dead)}: ${proofOfDeath(snapshot, dead) ?? ''}.`);
    }
  }
  return warnings;
}

function lossesFor(snapshot: ClusterSnapshot, node: RedisNode, how: PromoteHow): readonly string[] {
  const name = nodeName(node);
  const master = nameOf(snapshot, node.masterId ?? '');
  const losses = [
    `Writes that ${master} took and had not passed on to ${name}.`,
    ...newerCopies(snapshot, node),
  ];
  if (node.view?.keys === 0) losses.push(`${name} holds no key at all: every key of this shard.`);
  const old = snapshot.nodes.find(({ id }) => id === node.masterId);
  if (how === 'force' && answers(old)) {
    losses.push(`${master} answers: what it takes until it steps down is lost as well.`);
  }
  return losses;
}

function newerCopies(snapshot: ClusterSnapshot, node: RedisNode): readonly string[] {
  const offsetOf = ({ view }: RedisNode): number => view?.replication.offset ?? 0;
  return replicasOf(snapshot, node.masterId ?? '')
    .filter((other) => answers(other) && offsetOf(other) > offsetOf(node))
    .map(
      (other) =>
        `${quantity(offsetOf(other) - offsetOf(node), 'byte')} of writes that ${nodeName(other)} has and ${nodeName(node)} has not: promote that one instead.`,
    );
}
