import { slotCount, type SlotSet } from '../../model/slots.ts';
import type { FormServer } from './server.ts';

/** A shard that is to be: who serves which slots, and who replicates that. */
export interface PlannedShard {
  readonly master: FormServer;
  readonly slots: SlotSet;
  readonly replicas: readonly FormServer[];
}

/**
 * Chooses masters in turn from every place, and for each of them replicas elsewhere as far as there are any. Servers
 * beyond the same number for each become further replicas of the first masters.
 */
export function arrangeShards(servers: readonly FormServer[], masters: number): readonly PlannedShard[] {
  const order = inTurn(servers);
  const chosen = order.slice(0, masters);
  const replicas = chosen.map((): FormServer[] => []);
  const left = order.slice(masters);
  while (left.length > 0) {
    const at = nextShard(replicas);
    const taken = left.findIndex(({ place }) => isFree(chosen[at], replicas[at] ?? [], place));
    replicas[at]?.push(...left.splice(Math.max(0, taken), 1));
  }
  spread(chosen, replicas);
  return chosen.map((master, index) => ({
    master,
    slots: shareOf(index, chosen.length),
    replicas: replicas[index] ?? [],
  }));
}

/** The first of those with the fewest. */
function nextShard(replicas: readonly (readonly FormServer[])[]): number {
  const fewest = Math.min(...replicas.map(({ length }) => length));
  return replicas.findIndex(({ length }) => length === fewest);
}

function isFree(master: FormServer | undefined, replicas: readonly FormServer[], place: string): boolean {
  return master?.place !== place && replicas.every((one) => one.place !== place);
}

/** One of each place, then the second of each, and so on. */
function inTurn(servers: readonly FormServer[]): readonly FormServer[] {
  const places = [...Map.groupBy(servers, ({ place }) => place).values()];
  const longest = Math.max(0, ...places.map(({ length }) => length));
  return Array.from({ length: longest }, (_, round) => places.flatMap((one) => one[round] ?? [])).flat();
}

/** Exchanges replicas between shards while that brings copies of a shard apart. */
function spread(masters: readonly FormServer[], replicas: FormServer[][]): void {
  const cost = (index: number): number => {
    const places = [masters[index], ...(replicas[index] ?? [])].map((one) => one?.place);
    return places.length - new Set(places).size;
  };
  const all = replicas.flatMap((own, shard) => own.map((_, index) => ({ shard, index })));
  let hasImproved = true;
  while (hasImproved) {
    hasImproved = false;
    for (const a of all) {
      if (cost(a.shard) === 0) continue;
      for (const b of all) {
        if (a.shard === b.shard) continue;
        const before = cost(a.shard) + cost(b.shard);
        exchange(replicas, a, b);
        if (cost(a.shard) + cost(b.shard) < before) hasImproved = true;
        else exchange(replicas, a, b);
      }
    }
  }
}

interface Seat {
  readonly shard: number;
  readonly index: number;
}

function exchange(replicas: FormServer[][], a: Seat, b: Seat): void {
  const [inA, inB] = [replicas[a.shard], replicas[b.shard]];
  const [first, second] = [inA?.[a.index], inB?.[b.index]];
  if (inA === undefined || inB === undefined || first === undefined || second === undefined) return;
  inA[a.index] = second;
  inB[b.index] = first;
}

function shareOf(index: number, masters: number): SlotSet {
  const first = (share: number): number => Math.round((slotCount * share) / masters);
  return [[first(index), first(index + 1) - 1]];
}
