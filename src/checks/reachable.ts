import { nodeName } from '../model/shards.ts';
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
        remedy:
          node.pod === undefined
            ? 'Find out whether its server still exists; a node that is gone for good has to be forgotten by all others.'
            : `Look at the logs and events of pod ${node.pod.name}.`,
        nodeIds: [node.id],
      };
    });
