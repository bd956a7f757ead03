import type { KnownNode, NodeView } from './nodeView.ts';

/**
 * The master of a replica that looks for it where it no longer is, and knows better: its own CLUSTER NODES has another
 * address than its replication. Servers that learn a new address from others by gossip, rather than from the master
 * itself, do not follow it there, and never try anything else. A repeated CLUSTER REPLICATE sends them there.
 */
export function misplacedMaster({ self, others, replication }: NodeView): KnownNode | undefined {
  const { linkUp, masterHost = '' } = replication;
  if (linkUp !== false || masterHost === '' || self.masterId === undefined) return undefined;
  const master = others.find(({ id }) => id === self.masterId);
  const isElsewhere = master !== undefined && master.host !== '' && master.host !== masterHost;
  return isElsewhere && master.linkState === 'connected' ? master : undefined;
}
