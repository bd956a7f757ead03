import { quantity } from '../model/quantity.ts';
import { isKubernetesRef } from '../model/clusterRef.ts';
import type { Plan, Step } from '../model/plan.ts';
import { nodeName, slotsText } from '../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../model/snapshot.ts';
import { unservedSlots } from './fix/unserved.ts';
import { needGreeting, type Whereabouts } from './heal/acquaintances.ts';
import { repairReplicas } from './heal/openOnReplicas.ts';
import { repairOpenSlots } from './heal/openSlots.ts';
import { rivalry } from './heal/rivals.ts';
import { answers, refusal, refuseUnformed, refuseUnread } from './nodes.ts';

/**
 * Puts right what can be put right without losing a key: nodes that have lost each other's address are introduced
 * again, moves of slots that were interrupted are finished, and slots that replicas alone call open are closed. Throws
 * a UserError where there is nothing of that.
 */
export function planHeal(snapshot: ClusterSnapshot): Plan {
  refuseUnread(snapshot);
  refuseUnformed(snapshot);
  const rivals = new Map(snapshot.nodes.map((node) => [node, rivalry(snapshot, node)]));
  const greetings = snapshot.nodes.flatMap((node) =>
    rivals.get(node) === undefined ? greetingOf(snapshot, node) : [],
  );
  const { steps: moves, unclear: openUnclear } = repairOpenSlots(snapshot);
  const unclear = [...new Set([...rivals.values()].flatMap((why) => why ?? [])), ...openUnclear];
  const closings = repairReplicas(snapshot);
  const steps = [...greetings, ...moves, ...closings];
  if (steps.length === 0) {
    if (unclear.length > 0) throw refusal('unsafe', `${unclear.join(' ')} A person has to decide.`);
    const { slots } = unservedSlots(snapshot);
    const fix =
      slots.length === 0 ? '' : ` Nobody serves ${slotsText(slots)}: “Fix Uncovered Slots…” assigns them.`;
    throw refusal(
      'invalid-input',
      `All nodes of ${snapshot.name} that answer know each other's addresses, and no interrupted move can be finished.${fix}`,
    );
  }
  const silent = snapshot.nodes.filter((node) => !answers(node));
  return {
    title: `Heal ${snapshot.name}: ${subject(greetings.length, moves.length, closings.length)}`,
    ref: snapshot.ref,
    operation: 'heal',
    request: {},
    steps,
    warnings: [
      ...unclear.map((text) => `${text} It is left as it is.`),
      ...silent.map((node) => `${nodeName(node)} does not answer and is left as it is.`),
    ],
    losses: [],
  };
}

function subject(greetings: number, moves: number, closings: number): string {
  return [
    ...(greetings === 0 ? [] : [`introduce ${quantity(greetings, 'node')} again`]),
    ...(moves === 0 ? [] : [`finish ${quantity(moves, 'interrupted move')}`]),
    ...(closings === 0 ? [] : ['close slots on replicas']),
  ].join(', ');
}

function greetingOf(snapshot: ClusterSnapshot, node: RedisNode): readonly Step[] {
  if (!answers(node)) return [];
  const at = whereabouts(snapshot, node);
  const those = needGreeting(snapshot, at);
  if (those.length === 0) return [];
  const names = those.length > 4 ? quantity(those.length, 'node') : those.map(nodeName).join(', ');
  return [{ kind: 'meet', ...at, text: `Tell ${names} that ${nodeName(node)} is at ${at.host}:${at.port}` }];
}

/** The pod's address counts: what a server says of itself may be from before its restart. */
function whereabouts(snapshot: ClusterSnapshot, { id, host, port, busPort, pod }: RedisNode): Whereabouts {
  const own = isKubernetesRef(snapshot.ref) ? (pod?.ip ?? host) : host;
  return { node: id, host: own, port, busPort };
}
