import { isKubernetesRef } from '../../model/clusterRef.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { answers } from '../servers/nodes.ts';

/** Where a node is. */
export interface AnnouncedAddress {
  readonly node: string;
  readonly host: string;
  readonly port: number;
  readonly busPort: number;
}

/**
 * Where a node is for its peers. Its ports are as it says itself. Its address is what it announces: where it announces
 * none it learned it from others, and after a restart that may be the one from before, so then its pod's counts.
 * @param announced its `cluster-announce-ip`, empty where that is not set; without it a peer's link at the address tells
 */
export function announcedAddressOf(
  { ref, nodes }: ClusterSnapshot,
  { id, host, port, busPort, pod }: RedisNode,
  announced?: string,
): AnnouncedAddress {
  const here = { node: id, port, busPort };
  const ip = isKubernetesRef(ref) ? pod?.ip : undefined;
  if (ip === undefined || ip === host) return { ...here, host };
  if (announced !== undefined) return { ...here, host: announced === '' ? ip : announced };
  const isReached = nodes.some(
    (one) =>
      one.id !== id &&
      answers(one) &&
      one.view.others.some(
        (line) =>
          line.id === id && line.host === host && line.port === port && line.linkState === 'connected',
      ),
  );
  return { ...here, host: isReached && host !== '' ? host : ip };
}

/**
 * The nodes that have to be told where another one is: those that do not list it, list it elsewhere, or have no link
 * with it. After a restart of all pods at once nobody knows anybody's address, and redis by itself never finds out.
 */
export function needIntroduction(
  snapshot: ClusterSnapshot,
  { node, host, port }: AnnouncedAddress,
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
