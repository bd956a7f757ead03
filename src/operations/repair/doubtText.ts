import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { nameOf } from '../servers/nodes.ts';
import type { Dispute } from './doubles.ts';
import type { Master, SlotDoubt } from './slotCase.ts';

/** Why a slot is left untouched, and what a person has to do so that it can be repaired. */
export function doubtText(snapshot: ClusterSnapshot, slot: number, doubt: SlotDoubt): string {
  switch (doubt.why) {
    case 'no-owner':
      return `Slot ${slot} is open and no master owns it. Assign it with “Fix Uncovered Slots…”, then heal again.`;
    case 'owner-silent':
      return `Slot ${slot} is open, and ${namesOf(doubt.nodes)}, which owns it, does not answer. Heal again when it does, or when a replica has taken over.`;
    case 'owners':
      return `Slot ${slot} is open and ${namesOf(doubt.owners)} own it. Look at the keys of each (CLUSTER COUNTKEYSINSLOT ${slot}), decide which node should own it, and send CLUSTER SETSLOT ${slot} NODE with that node’s id to the others.`;
    case 'target-silent': {
      const target = nameOf(snapshot, doubt.targetId);
      return `Slot ${slot} is open from ${nodeName(doubt.owner)} to ${target}, which does not answer and may hold keys of it. Restore ${target} and heal again. If it is gone for good, send CLUSTER SETSLOT ${slot} STABLE to ${nodeName(doubt.owner)}; keys that have already moved are then lost.`;
    }
  }
}

export function disputeText(slot: number, owner: Master, { key, nodes, why }: Dispute): string {
  const names = namesOf(nodes);
  const others = namesOf(nodes.filter((node) => node !== owner));
  const remove = `delete the wrong copy (ASKING, then DEL ${key}) and heal again.`;
  switch (why) {
    case 'differ':
      return `Slot ${slot}: the key ${key} has different values on ${names}, and which one is right is unknown. Look at both (CLUSTER GETKEYSINSLOT ${slot}; ASKING, then DUMP ${key}), ${remove}`;
    case 'big':
      return `Slot ${slot}: the key ${key} is on ${names} and too large to compare. Look at both (ASKING, then a command that reads it), ${remove}`;
    case 'closed':
      return `Slot ${slot}: the key ${key} is on ${names} and cannot be compared, since a server on which the slot is closed does not return it. Send CLUSTER SETSLOT ${slot} IMPORTING ${owner.id} to ${others === '' ? 'the others' : others} and heal again.`;
  }
}

function namesOf(nodes: readonly RedisNode[]): string {
  const names = nodes.map(nodeName);
  return names.length < 3
    ? names.join(' and ')
    : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}
