/** What one redis-server says about itself in its own `myself` line of CLUSTER NODES. */
export interface OwnView {
  readonly ordinal: number;
  readonly id: string;
  readonly role: 'master' | 'slave';
  readonly masterId: string;
  readonly slots: readonly string[];
}


export function ownViewOf(ordinal: number, clusterNodes: string): OwnView {
  const line = clusterNodes.split('\n').find((text) => text.includes('myself'));
  const [id = '', , flags = '', masterId = '', , , , , ...slots] = (line ?? '').split(' ');
  return { ordinal, id, role: flags.includes('slave') ? 'slave' : 'master', masterId, slots };
}
