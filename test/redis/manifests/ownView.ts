/** What one redis-server says in CLUSTER NODES: of itself, by its own `myself` line, and whether it misses somebody. */
export interface OwnView {
  readonly ordinal: number;
  readonly id: string;
  readonly role: 'master' | 'slave';
  readonly masterId: string;
  readonly slots: readonly string[];
  /** The lines of nodes whose address it does not know. */
  readonly withoutAddress: readonly string[];
}

export function ownViewOf(ordinal: number, clusterNodes: string): OwnView {
  const lines = clusterNodes.split('\n');
  const line = lines.find((text) => text.includes('myself'));
  const [id = '', , flags = '', masterId = '', , , , , ...slots] = (line ?? '').split(' ');
  const withoutAddress = lines.filter((text) => text.includes(',noaddr '));
  return { ordinal, id, role: flags.includes('slave') ? 'slave' : 'master', masterId, slots, withoutAddress };
}
