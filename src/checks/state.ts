import { quantity } from '../model/quantity.ts';
import { nodeName } from '../model/shards.ts';
import { isUnformed } from '../model/unformed.ts';
import type { Rule } from './rule.ts';

/** Nodes that themselves say that the cluster is down: they refuse all commands about keys (CLUSTERDOWN). */
export const state: Rule = (snapshot) => {
  const down = snapshot.nodes.filter((node) => node.view?.clusterState === 'fail');
  if (down.length === 0 || isUnformed(snapshot)) return [];
  return [
    {
      rule: 'cluster-state',
      severity: 'error',
      message: `${down.length} of ${quantity(snapshot.nodes.length, 'node')} report that the cluster is down.`,
      evidence: [`cluster_state:fail on ${down.map(nodeName).join(', ')}`],
      remedy:
        'See the other findings for the cause. Nodes that have just joined report this for up to five seconds.',
      nodeIds: down.map((node) => node.id),
    },
  ];
};
