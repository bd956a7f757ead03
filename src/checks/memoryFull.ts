import type { Finding } from '../model/finding.ts';
import type { NodeView } from '../model/nodeView.ts';
import { nodeName } from '../model/shards.ts';
import type { RedisNode } from '../model/snapshot.ts';
import type { Rule } from './rule.ts';

/** The share of its limit from which a master that evicts nothing is worth a look. */
const nearlyFull = 0.9;
/** And from which it counts as full: the server measures within a command, whose own buffers count as well. */
const full = 0.998;

/**
 * Masters that refuse writes because their memory limit is reached, or soon will. One that evicts keys is full when all
 * is well, and a replica keeps no limit but its master's.
 */
export const memoryFull: Rule = (snapshot) => snapshot.nodes.flatMap(ofNode);

function ofNode(node: RedisNode): readonly Finding[] {
  const { view } = node;
  if (view?.replication.role !== 'master' || view.maxMemoryBytes === 0) return [];
  if (view.evictionPolicy !== 'noeviction') return [];
  const counted = view.usedMemoryBytes - view.uncountedMemoryBytes;
  const share = counted / view.maxMemoryBytes;
  if (share < nearlyFull) return [];
  return [
    {
      rule: 'memory-full',
      severity: share >= full ? 'error' : 'warning',
      message:
        share >= full
          ? `${nodeName(node)} refuses writes: its memory limit is reached.`
          : `${nodeName(node)} has used ${Math.floor(100 * share)}% of its memory. When it is full, it refuses writes.`,
      evidence: [evidenceOf(view, counted)],
      remedy:
        'Delete keys, give its pods more memory, or move slots to another shard. Reads and deletes still work; other shards are not affected.',
      nodeIds: [node.id],
    },
  ];
}

function evidenceOf({ maxMemoryBytes, evictionPolicy }: NodeView, counted: number): string {
  return `INFO memory: ${counted} bytes count, maxmemory:${maxMemoryBytes}, maxmemory_policy:${evictionPolicy}`;
}
