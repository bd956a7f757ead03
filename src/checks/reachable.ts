import { nodeName } from '../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../model/snapshot.ts';
import type { Rule } from './rule.ts';

/** Nodes that are members and do not answer, and nodes that their peers have declared failed. */
export const reachable: Rule = (snapshot) =>
  snapshot.nodes
    .filter((node) => node.health === 'failed' || node.health === 'unreachable')
    .map((node) => {
      const role = node.role === 'master' ? 'Master' : 'Replica';
      const state = node.health === 'failed' ? 'has failed' : 'does not answer';
      return {
        rule: 'reachable',
        severity: node.role === 'master' && node.slots.length > 0 ? 'error' : 'warning',
        message: `${role} ${nodeName(node)} ${state}.`,
        evidence: [node.unreachable?.message ?? `Flagged fail by its peers.`],
        remedy: [
          node.pod === undefined
            ? 'Find out whether its server still exists; “Forget Node…” takes one that is gone for good out of the cluster.'
            : `Look at the logs and events of pod ${node.pod.name}.`,
          ...wayOut(snapshot, node),
        ].join(' '),
        nodeIds: [node.id],
      };
    });

/** What serves the slots of a failed master again. */
function wayOut({ nodes }: ClusterSnapshot, { id, role, health, slots }: RedisNode): readonly string[] {
  if (role !== 'master' || health !== 'failed' || slots.length === 0) return [];
  const heir = nodes.find((node) => node.masterId === id && node.view !== undefined);
  return [
    heir === undefined
      ? 'Once it is sure that it is lost, “Fix Uncovered Slots…” assigns its slots to other masters.'
      : `Should ${nodeName(heir)} not take over by itself within seconds, “Promote Replica…” makes it.`,
  ];
}
