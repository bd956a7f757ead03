import type { NodeView } from '../model/nodeView.ts';
import { intersectSlots, slotCount, unionSlots, type SlotSet } from '../model/slots.ts';
import type { ClusterPart, RedisNode } from '../model/snapshot.ts';
import { Sets } from './sets.ts';
import { isIsolated, type Answering, type Source } from './source.ts';

/**
 * Servers of one cluster by who knows whom, the part that is the cluster first: the one that was it before as long as it
 * holds keys or nobody does, then the one with the most keys, slots and nodes. Servers that know nobody and hold
 * nothing are no part of their own where there is any other; without another they are the cluster that is not formed.
 * @param known the ids of the nodes that were the cluster when it was read last
 */
export function splitParts<S extends Source>(
  sources: readonly Answering<S>[],
  known: ReadonlySet<string> = new Set(),
): { readonly parts: readonly (readonly Answering<S>[])[]; readonly blank: readonly Answering<S>[] } {
  const isBlank = ({ reading: { view } }: Answering<S>): boolean => isIsolated(view) && view.keys === 0;
  const alone = sources.filter(isBlank);
  // One that others still list is a member that has forgotten all others, as after CLUSTER RESET SOFT.
  const listed = new Set(alone.length === 0 ? [] : sources.flatMap((source) => listedBy(source)));
  const blank = alone.filter(({ reading }) => !listed.has(reading.view.self.id));
  const rest = blank.length === 0 ? sources : sources.filter((source) => !blank.includes(source));
  if (rest.length === 0) return { parts: [sources], blank: [] };
  const found = components(rest);
  if (found.length === 1) return { parts: found, blank };
  const parts = found.map((part) => ({ part, rank: rankOf(part, known) }));
  const holds = parts.some(({ rank }) => rank.keys > 0);
  const isKept = ({ rank }: (typeof parts)[number]): boolean => !holds || rank.keys > 0;
  const before = Math.max(...parts.map((one) => (isKept(one) ? one.rank.known : 0)));
  const kept = (one: (typeof parts)[number]): number =>
    before > 0 && isKept(one) && one.rank.known === before ? 1 : 0;
  return {
    parts: parts
      .sort(
        (a, b) =>
          kept(b) - kept(a) ||
          b.rank.keys - a.rank.keys ||
          b.rank.slots - a.rank.slots ||
          b.rank.nodes - a.rank.nodes,
      )
      .map(({ part }) => part),
    blank,
  };
}

function listedBy({ reading }: Answering): readonly string[] {
  return reading.view.others.flatMap(({ id, flags }) => (flags.includes('handshake') ? [] : id));
}

/** Servers that know each other, directly or through others. */
export function components<S extends Source>(
  sources: readonly Answering<S>[],
): readonly (readonly Answering<S>[])[] {
  const byId = new Map(sources.map(({ reading }, index) => [reading.view.self.id, index]));
  const sets = new Sets(sources.length);
  // What one of them lists is usually everybody, and then nobody else has to be asked.
  let left = sources.length - 1;
  for (const [index, { reading }] of sources.entries()) {
    if (left === 0) break;
    for (const { id } of reading.view.others) {
      const other = byId.get(id);
      if (other === undefined || sets.find(other) === sets.find(index)) continue;
      sets.join(index, other);
      left -= 1;
    }
  }
  return sets.groups().map((part) => part.flatMap((index) => sources[index] ?? []));
}

interface Rank {
  readonly known: number;
  readonly keys: number;
  readonly slots: number;
  readonly nodes: number;
}

function rankOf(part: readonly Answering[], known: ReadonlySet<string>): Rank {
  const views = part.map(({ reading }) => reading.view);
  const slots = unionSlots(...views.map(({ self }) => self.slots));
  return {
    known: views.filter(({ self }) => known.has(self.id)).length,
    keys: keysIn(part),
    slots: slots.reduce((sum, [first, last]) => sum + last - first + 1, 0),
    nodes: part.length,
  };
}

/** Replicas hold copies; where a part has only replicas, they are what is left. */
function keysIn(part: readonly Answering[]): number {
  const views = part.map(({ reading }) => reading.view);
  const masters = views.filter(({ replication }) => replication.role === 'master');
  const count = (some: typeof views): number => some.reduce((sum, { keys }) => sum + keys, 0);
  return count(masters) || count(views);
}

/** Whether the cluster that a server knows serves all slots. */
function isWhole({ clusterState, slotsAssigned }: NodeView): boolean {
  return clusterState === 'ok' && slotsAssigned === slotCount;
}

/** What tells how another part came to stand apart from the one that is the cluster. */
interface MainPart {
  /** The slots that its nodes know of, served or not. */
  readonly slots: SlotSet;
  /** Whether it lists a node that does not answer. */
  readonly isMissed: boolean;
  readonly uptimeSeconds: number;
  /** The part was read only since the user named its addresses. */
  readonly isNamed: boolean;
}

/**
 * A part that is not the cluster, and why it stands apart. A server with keys that knows nobody was a member once: keys
 * come only to who owns or replicates slots, and one that starts without nodes.conf claims the slots of its keys.
 */
export function partOf(part: readonly Answering[], nodes: readonly RedisNode[], main: MainPart): ClusterPart {
  const keys = keysIn(part);
  const slots = unionSlots(...part.map(({ reading }) => reading.view.self.slots));
  const isKnown = intersectSlots(slots, main.slots).length > 0;
  const isYoung = part.every(({ reading }) => reading.view.uptimeSeconds < main.uptimeSeconds);
  const isEmpty = keys === 0 && slots.length === 0;
  if (main.isNamed && part.every(({ reading }) => isWhole(reading.view)))
    return { nodes, keys, slots, why: 'own-cluster' };
  const knowsNobody = part.every(({ reading }) => reading.view.others.length === 0);
  return {
    nodes,
    keys,
    slots,
    why:
      isKnown || (keys > 0 && (main.isMissed || knowsNobody))
        ? 'lost-identity'
        : isEmpty && isYoung && main.isMissed
          ? 'lost-volume'
          : 'never-joined',
  };
}
