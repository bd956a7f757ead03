import { UserError } from '../../model/errors.ts';
import { nodeName, shardsOf, slotsText, uncoveredSlots } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode, Shard } from '../../model/snapshot.ts';
import { formatSlots, type SlotSet } from '../../model/slots.ts';
import { answers, withOpenSlots } from '../servers/nodes.ts';
import { refuseIncomplete } from '../refusals/refuseIncomplete.ts';

/** A replica that is further behind than this is not copied while another node is closer. */
const inSyncBytes = 1024 * 1024;

/** From which server the data of a shard is copied. */
export interface ShardSource {
  readonly master: RedisNode;
  readonly source: RedisNode;
  readonly slots: SlotSet;
}

export interface Sources {
  readonly shards: readonly ShardSource[];
  /** Slots of which nothing is copied, since no server that holds them answers. */
  readonly missing: SlotSet;
  /** What a person should know before: which masters have to copy themselves. */
  readonly warnings: readonly string[];
}

/**
 * Chooses what is copied: for each shard a replica that is in sync, and where there are several the one that least is
 * asked of; the master only where there is none. Throws a UserError where slots are not covered or move.
 * @param evenPartly copies what there is where slots are not covered
 */
export function chooseSources(snapshot: ClusterSnapshot, evenPartly: boolean): Sources {
  refuseIncomplete(snapshot);
  const shards = shardsOf(snapshot).filter(({ slots }) => slots.length > 0);
  const open = withOpenSlots(snapshot);
  if (open.length > 0)
    throw refusal(
      snapshot,
      `slots are being moved (${open.map(nodeName).join(', ')}). Wait until that ends, or heal the cluster`,
    );
  const chosen = shards.map((shard) => ({ shard, from: sourceOf(shard) }));
  const lost = chosen.filter(({ from }) => from === undefined).flatMap(({ shard }) => shard.slots);
  const missing = [...uncoveredSlots(snapshot), ...lost];
  if (missing.length > 0 && !evenPartly) {
    throw refusal(
      snapshot,
      `${slotsText(missing)} (${formatSlots(missing)}) are on no server that answers. Repair the cluster first, or say that a part is enough`,
    );
  }
  const copied = chosen.flatMap(({ shard: { master, slots }, from }) =>
    from === undefined ? [] : [{ master: master ?? from, source: from, slots }],
  );
  if (copied.length === 0) throw refusal(snapshot, 'no server that holds slots answers');
  return { shards: copied, missing, warnings: warningsOf(copied) };
}

function sourceOf({ master, replicas }: Shard): RedisNode | undefined {
  const inSync = replicas
    .filter((node) => node.health === 'ok' && node.view?.replication.linkUp === true)
    .filter(({ lagBytes = 0 }) => lagBytes <= inSyncBytes)
    .sort((a, b) => loadOf(a) - loadOf(b));
  return inSync[0] ?? (answers(master) ? master : replicas.find(answers));
}

/** What else a server does: the memory that a fork may double, in bytes. */
function loadOf({ view }: RedisNode): number {
  return view?.usedMemoryBytes ?? 0;
}

function warningsOf(shards: readonly ShardSource[]): readonly string[] {
  const masters = shards.filter(({ master, source }) => master.id === source.id);
  if (masters.length === 0) return [];
  const names = masters.map(({ source }) => nodeName(source)).join(', ');
  return [
    `No replica is in sync for ${names}: the master itself is copied, which costs it memory and time while it forks.`,
  ];
}

function refusal({ name }: ClusterSnapshot, why: string): UserError {
  return new UserError('unsafe', `${name} was not backed up: ${why}. Nothing was written.`);
}
