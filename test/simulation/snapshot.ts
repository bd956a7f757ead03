import { mergeViews } from '../../src/inventory/mergeViews.ts';
import type { Source } from '../../src/inventory/source.ts';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { parseClusterNodes } from '../../src/redis/clusterNodes.ts';
import { nodeView } from '../../src/redis/nodeView.ts';
import { isFree } from './failover.ts';
import type { SimNode } from './node.ts';
import { clusterInfo, clusterNodes, info } from './texts.ts';
import type { World } from './world.ts';

const remembered = new Map<string, ClusterSnapshot>();

/**
 * What the inventory would make of the cluster now: every node's own word, and that of its peers where it is silent.
 * The same texts make the same snapshot, and most states come up in very many interleavings, so it is remembered.
 */
export function snapshotOf(world: World): ClusterSnapshot {
  const texts = world.nodes.map((node) =>
    isFree(node) ? [clusterNodes(world, node), clusterInfo(world, node), info(world, node)] : undefined,
  );
  const key = texts.join('|');
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const sources = world.nodes.map((node, index) => sourceOf(node, texts[index]));
  const snapshot: ClusterSnapshot = {
    ref: { addresses: world.nodes.map(addressOf) },
    name: 'simulated',
    takenAt: world.clock.now(),
    ...mergeViews(sources),
    workloads: [],
  };
  if (remembered.size > 5000) remembered.clear();
  remembered.set(key, snapshot);
  return snapshot;
}

function addressOf({ host, port }: SimNode): string {
  return `${host}:${port}`;
}

function sourceOf(node: SimNode, texts: readonly string[] | undefined): Source {
  const address = addressOf(node);
  if (texts === undefined) {
    const failure = { since: 0, reason: 'unreachable' as const, message: 'No answer within 3 s.' };
    return { address, reading: { tried: true, failure, lastId: node.id } };
  }
  const [nodes = '', cluster = '', all = ''] = texts;
  return {
    address,
    reading: { tried: true, view: nodeView(parseClusterNodes(nodes), cluster, all), lastId: node.id },
  };
}
