import { mastersOf, nodeName, shardsOf, slotsText } from '../model/shards.ts';
import type { ClusterSnapshot, RedisNode, Shard } from '../model/snapshot.ts';
import { unionSlots, type SlotSet } from '../model/slots.ts';

/** Where nodes fail together: a worker, or a zone of several. */
interface Place {
  readonly kind: 'worker' | 'zone';
  readonly name: string;
}

/** What would follow if a place died now. */
export interface Survivability {
  readonly place: Place;
  /** Names of the nodes there. */
  readonly nodes: readonly string[];
  /** Masters there that a replica elsewhere would take over from. */
  readonly failovers: readonly string[];
  /** Masters with slots all of whose copies that are well are there: their keys are not reached, or gone with it. */
  readonly lost: readonly string[];
  readonly lostSlots: SlotSet;
  /** Masters elsewhere that would have no replica left. */
  readonly unprotected: readonly string[];
  /** Most masters are there, so that no replica could be elected. */
  readonly electsNobody: boolean;
}

/** What is lost if one worker or zone dies now, for each of them. @param zones by worker; none where they are not known */
export function survivability(
  snapshot: ClusterSnapshot,
  zones: ReadonlyMap<string, string> = new Map(),
): readonly Survivability[] {
  const workers = new Set(snapshot.nodes.flatMap(({ pod }) => pod?.worker ?? []));
  const inZones = new Set([...workers].flatMap((worker) => zones.get(worker) ?? []));
  const places: readonly Place[] = [
    ...[...workers].sort().map((name) => ({ kind: 'worker' as const, name })),
    ...[...inZones].sort().map((name) => ({ kind: 'zone' as const, name })),
  ];
  return places.map((place) => fateOf(snapshot, place, (node) => isAt(node, place, zones)));
}

function isAt({ pod }: RedisNode, { kind, name }: Place, zones: ReadonlyMap<string, string>): boolean {
  if (pod?.worker === undefined) return false;
  return (kind === 'worker' ? pod.worker : zones.get(pod.worker)) === name;
}

function fateOf(
  snapshot: ClusterSnapshot,
  place: Place,
  isThere: (node: RedisNode) => boolean,
): Survivability {
  const shards = shardsOf(snapshot).filter(({ slots }) => slots.length > 0);
  const masters = mastersOf(snapshot).filter(({ slots }) => slots.length > 0);
  const hit = shards.filter(({ master }) => master !== undefined && isThere(master));
  const voters = masters.filter((node) => node.view !== undefined && !isThere(node)).length;
  const electsNobody = voters * 2 <= masters.length;
  const survives = (shard: Shard): boolean => shard.replicas.some((node) => isWell(node) && !isThere(node));
  const lost = hit.filter((shard) => electsNobody || !survives(shard));
  const others = shards.filter((shard) => !hit.includes(shard));
  const names = (those: readonly Shard[]): readonly string[] =>
    those.flatMap(({ master }) => (master === undefined ? [] : [nodeName(master)]));
  return {
    place,
    nodes: snapshot.nodes.filter(isThere).map(nodeName),
    failovers: names(hit.filter((shard) => !lost.includes(shard))),
    lost: names(lost),
    lostSlots: unionSlots(...lost.map(({ slots }) => slots)),
    unprotected: names(others.filter((shard) => shard.replicas.some(isThere) && !survives(shard))),
    electsNobody,
  };
}

function isWell({ health, view }: RedisNode): boolean {
  return health === 'ok' && view?.replication.linkUp === true;
}

/** One sentence for a dialog. */
export function impactText({
  place,
  failovers,
  lost,
  lostSlots,
  unprotected,
  electsNobody,
}: Survivability): string {
  const parts = [
    ...(electsNobody ? ['most masters run there, so no replica could be elected'] : []),
    ...(lost.length === 0 ? [] : [`${slotsText(lostSlots)} of ${lost.join(', ')} would not be served`]),
    ...(failovers.length === 0
      ? []
      : [`replicas would take over from ${failovers.join(', ')} after the node timeout`]),
    ...(unprotected.length === 0 ? [] : [`${unprotected.join(', ')} would have no replica left`]),
  ];
  return `If ${place.kind === 'worker' ? 'Kubernetes node' : place.kind} ${place.name} failed now: ${parts.length === 0 ? 'all slots would still be served' : parts.join('; ')}.`;
}
