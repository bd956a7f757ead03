import { internedNodes } from '../model/internedNodes.ts';
import type { KnownNode, NodeView } from '../model/nodeView.ts';
import { nodeName } from '../model/shards.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import { formatSlots } from '../model/slots.ts';
import type { Rule } from './rule.ts';

/**
 * Whether all nodes name the same owners of the same slots, as redis-cli's check asks. Just after a change they
 * differ for about a second, until gossip has reached the replicas.
 */
export const agreement: Rule = (snapshot) => {
  const bySignature = Map.groupBy(answering(snapshot), ({ view }) => signature(view));
  if (bySignature.size < 2) return [];
  const groups = [...bySignature.values()].sort((a, b) => b.length - a.length);
  const minority = groups.slice(1).flat();
  return [
    {
      rule: 'agreement',
      severity: 'error',
      message: `Nodes disagree about slot ownership.`,
      evidence: groups.map((group) => `Same view: ${group.map(({ node }) => nodeName(node)).join(', ')}`),
      remedy: 'Wait a few seconds. If it persists, “Heal Cluster…” reconnects nodes that have lost contact.',
      nodeIds: minority.map(({ node }) => node.id),
    },
  ];
};

/** Whether every node that answers says the same configuration. */
export function agrees(snapshot: ClusterSnapshot): boolean {
  return new Set(answering(snapshot).map(({ view }) => signature(view))).size < 2;
}

function answering(snapshot: ClusterSnapshot): { node: ClusterSnapshot['nodes'][number]; view: NodeView }[] {
  return snapshot.nodes.flatMap((node) => (node.view === undefined ? [] : [{ node, view: node.view }]));
}

/** Who owns which slots, as one node sees it: the same text for nodes that agree. */
export function signature({ self, others }: NodeView): string {
  return signatureOf(self, others);
}

const signatureOf = internedNodes.concluding((self: KnownNode, others: NodeView['others']) =>
  internedNodes.text(
    [self, ...others]
      .filter((line) => line.slots.length > 0)
      .map((line) => claimOf(line))
      .sort()
      .join('|'),
  ),
);

const claimOf = internedNodes.concluding((line: KnownNode) => `${line.id}:${formatSlots(line.slots)}`);
