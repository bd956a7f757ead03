import { isKubernetesRef } from '../model/clusterRef.ts';
import { nodeName, slotsText } from '../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../model/snapshot.ts';
import { unionSlots } from '../model/slots.ts';
import { asSentence, shortList } from '../model/unread.ts';
import { isUnreached } from '../model/unreached.ts';
import type { Rule } from './rule.ts';

/**
 * Whether only this machine does not reach a node, as behind a NAT: it announces an address at which its peers find it. Of
 * clusters by address only, since nodes in Kubernetes are reached through their pods.
 */
export function isReachedElsewhere(snapshot: ClusterSnapshot, node: RedisNode): boolean {
  return !isKubernetesRef(snapshot.ref) && isUnreached(snapshot, node);
}

/** Nodes that peers are connected to and this machine is not: one finding, since they have one cause. */
export const unreached: Rule = (snapshot) => {
  const nodes = snapshot.nodes.filter((node) => isReachedElsewhere(snapshot, node));
  if (nodes.length === 0) return [];
  const slots = unionSlots(...nodes.map((node) => node.slots));
  const reasons = nodes.map(({ unreachable }) => asSentence(unreachable?.message ?? 'It did not answer.'));
  return [
    {
      rule: 'unreached',
      severity: slots.length > 0 ? 'error' : 'warning',
      message: `Not reached here, though other nodes are connected: ${shortList(nodes.map(nodeName))}.`,
      evidence: [
        ...reasons,
        ...(slots.length === 0
          ? []
          : [`${slotsText(slots)} are as other nodes list them; whether they are served is not verified.`]),
      ],
      remedy:
        'Enter with “Reach Nodes As…” where this machine reaches them, as through a NAT, a port mapping or a tunnel. Without such an address, check firewalls and whether their servers respond.',
      nodeIds: nodes.map(({ id }) => id),
    },
  ];
};
