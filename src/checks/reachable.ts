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
        remedy: remedyFor(snapshot, node),
        nodeIds: [node.id],
      };
    });

function remedyFor(snapshot: ClusterSnapshot, node: RedisNode): string {
  const { pod } = node;
  const logs = pod === undefined ? [] : [`Look at the logs and events of pod ${pod.name}.`];
  const heir = snapshot.nodes.find(({ masterId, view }) => masterId === node.id && view !== undefined);
  if (heir !== undefined && node.slots.length > 0 && isMajorityLost(snapshot)) {
    return [
      'Most masters do not answer, so the others cannot elect a replica. Bring the servers back if you can.',
      ...logs,
      `If they are gone for good, “Promote Replica…” makes ${nodeName(heir)} the master of these slots: it has their keys.`,
    ].join(' ');
  }
  const forget =
    'Find out whether its server still exists; “Forget Node…” takes one that is gone for good out of the cluster.';
  return [...(pod === undefined ? [forget] : logs), ...wayOut(snapshot, node)].join(' ');
}

/** Whether so many masters with slots are silent that no election can succeed. */
function isMajorityLost({ nodes }: ClusterSnapshot): boolean {
  const voters = nodes.filter(({ role, slots }) => role === 'master' && slots.length > 0);
  return voters.filter(({ view }) => view !== undefined).length * 2 <= voters.length;
}

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
