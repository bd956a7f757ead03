import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { answers } from '../nodes.ts';

/** Where a node is. */
export interface Whereabouts {
  readonly node: string;
  readonly host: string;
  readonly port: number;
  readonly busPort: number;
}

/**
 * The nodes that have to be told where another one is: those that do not list it, list it elsewhere, or have no link
 * with it. After a restart of all pods at once nobody knows anybody's address, and redis by itself never finds out.
 */
export function needGreeting(
  snapshot: ClusterSnapshot,
  { node, host, port }: Whereabouts,
): readonly RedisNode[] {
  return snapshot.nodes.filter((one) => {
    if (one.id === node || !answers(one)) return false;
    const line = one.view.others.find(({ id }) => id === node);
    if (line?.host !== host || line.port !== port) return true;
    return (
      line.linkState !== 'connected' || line.flags.some((flag) => flag === 'noaddr' || flag === 'handshake')
    );
  });
}
