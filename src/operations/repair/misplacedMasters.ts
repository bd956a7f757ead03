import { misplacedMaster } from '../../model/misplacedMaster.ts';
import { makeStep, type Step } from '../steps/index.ts';
import { quantity } from '../../model/quantity.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { answers, namesIn } from '../servers/nodes.ts';

/**
 * Points replicas that look for their master at an earlier address to its present one. A replica that follows a master
 * drops what it holds for a copy: where it holds much more than the master, it may be all that is left of the shard.
 */
export function repairLinks(snapshot: ClusterSnapshot): {
  readonly steps: readonly Step[];
  readonly unclear: readonly string[];
} {
  const misplaced = snapshot.nodes.flatMap((node) => {
    if (!answers(node) || misplacedMaster(node.view) === undefined) return [];
    const master = snapshot.nodes.find(({ id }) => id === node.masterId);
    return master?.role === 'master' && answers(master) && !master.view.loading ? [{ node, master }] : [];
  });
  return {
    steps: misplaced
      .filter((pair) => !mayBeLastCopy(pair))
      .map(({ node, master }) =>
        makeStep(
          'replicate',
          { node: node.id, master: master.id },
          namesIn(snapshot),
          'at the present address of its master',
        ),
      ),
    unclear: misplaced
      .filter(mayBeLastCopy)
      .map(
        ({ node, master }) =>
          `${nodeName(node)} holds ${quantity(node.view.keys, 'key')} and its master ${nodeName(master)} ${quantity(master.view.keys, 'key')}: it would drop them for a copy.`,
      ),
  };
}

interface Pair {
  readonly node: RedisNode & { readonly view: { readonly keys: number } };
  readonly master: RedisNode & { readonly view: { readonly keys: number } };
}

function mayBeLastCopy({ node, master }: Pair): boolean {
  return node.view.keys > 2 * master.view.keys;
}
