import type { ClusterSnapshot, RedisNode } from '../../src/model/snapshot.ts';
import { slotCount, slotSet, type SlotRange, type SlotSet } from '../../src/model/slots.ts';
import { sketchOf, type Sketch } from '../unit/operations/sketch.ts';
import { pod } from '../unit/sample.ts';
import type { Random } from './random.ts';

export interface ClusterOptions {
  readonly fewestMasters: number;
  readonly replicas: readonly number[];
  /** Whether masters that own nothing may be among them. */
  readonly emptyMasters: boolean;
}

/** A whole, healthy cluster of up to twelve masters whose slots lie in up to forty pieces, as years of moves leave them. */
export function randomCluster(random: Random, options: ClusterOptions): ClusterSnapshot {
  const masters = options.fewestMasters + random.below(13 - options.fewestMasters);
  const empty = options.emptyMasters && random.below(3) === 0 ? 1 + random.below(2) : 0;
  const names = Array.from({ length: masters + empty }, (_, index) => nameOf(index));
  const owned = ownersOf(random, masters);
  const nodes: Record<string, Sketch> = {};
  for (const [index, name] of names.entries()) nodes[name] = { slots: owned[index] ?? [] };
  let next = names.length;
  for (const name of names) {
    for (let count = random.pick(options.replicas); count > 0; count--) {
      nodes[nameOf(next++)] = { masterId: name, view: { replication: replicating } };
    }
  }
  return connected(sketchOf({}, nodes));
}

/** Everybody says of everybody else what that one says of itself. */
function connected(snapshot: ClusterSnapshot): ClusterSnapshot {
  const lines = snapshot.nodes.flatMap(({ view }) => (view === undefined ? [] : [view.self]));
  const nodes = snapshot.nodes.map((node): RedisNode => {
    if (node.view === undefined) return node;
    return { ...node, view: { ...node.view, others: lines.filter(({ id }) => id !== node.id) } };
  });
  return { ...snapshot, nodes };
}

/** The same cluster in the pods of one StatefulSet; who runs in which pod says nothing, as after years of failovers. */
export function inKubernetes(random: Random, snapshot: ClusterSnapshot): ClusterSnapshot {
  const left = snapshot.nodes.map((_, ordinal) => ordinal);
  const nodes = snapshot.nodes.map((node): RedisNode => {
    const [ordinal = 0] = left.splice(random.below(left.length), 1);
    return { ...node, pod: pod(`cart-${ordinal}`, node.host) };
  });
  const replicas = nodes.length;
  return {
    ...snapshot,
    ref: { context: 'test', namespace: 'shop', name: 'cart' },
    nodes,
    workloads: [{ kind: 'StatefulSet', name: 'cart', replicas, readyReplicas: replicas, bundled: true }],
  };
}

const replicating = { role: 'replica', offset: 0, linkUp: true, syncing: false, replicas: [] } as const;

/** One character each, so that their ports differ. */
function nameOf(index: number): string {
  return String.fromCharCode(0x41 + index);
}

/** Every master gets one piece at least. */
function ownersOf(random: Random, masters: number): readonly SlotSet[] {
  const pieces = masters + random.below(40);
  const cuts = new Set<number>();
  while (cuts.size < pieces - 1) cuts.add(1 + random.below(slotCount - 1));
  const starts = [0, ...[...cuts].sort((a, b) => a - b)];
  const ranges = masterless(masters);
  for (const [index, start] of starts.entries()) {
    const end = (starts[index + 1] ?? slotCount) - 1;
    const owner = index < masters ? index : random.below(masters);
    ranges[owner]?.push([start, end]);
  }
  return ranges.map(slotSet);
}

function masterless(masters: number): SlotRange[][] {
  return Array.from({ length: masters }, () => []);
}

/** Some slots, in one to four ranges. */
export function randomSlots(random: Random): SlotSet {
  return slotSet(
    Array.from({ length: 1 + random.below(4) }, (): SlotRange => {
      const start = random.below(slotCount);
      return [start, Math.min(slotCount - 1, start + random.below(800))];
    }),
  );
}
