import type * as z from 'zod/mini';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { formatSlots } from '../../model/slots.ts';

import { count, nodeId, oneOf, optional, slotsOrNone, strictObject } from '../steps/fields.ts';

/** What a plan was made of: it holds only for a cluster that is still like that. The epoch is a master's: it changes with every failover and every move of slots. */
export const nodePrint = strictObject(
  {
    id: nodeId,
    role: oneOf('master', 'replica'),
    masterId: optional(nodeId),
    slots: slotsOrNone,
    epoch: optional(count),
  },
  { object: 'an object', field: 'a field of such a node' },
);

export type NodePrint = Readonly<z.output<typeof nodePrint>>;

export function fingerprintOf(snapshot: ClusterSnapshot): readonly NodePrint[] {
  return [...snapshot.nodes].sort((a, b) => (a.id < b.id ? -1 : 1)).map(printOf);
}

function printOf({ id, role, masterId, slots, configEpoch }: RedisNode): NodePrint {
  if (role === 'master') return { id, role, slots, epoch: configEpoch };
  return { id, role, slots: [], ...(masterId === undefined ? {} : { masterId }) };
}

/** What has changed since, in words; none where the plan still holds. */
export function changesSince(then: readonly NodePrint[], snapshot: ClusterSnapshot): readonly string[] {
  const now = new Map(snapshot.nodes.map((node) => [node.id, node]));
  const known = new Set(then.map(({ id }) => id));
  const nameOf = (id: string): string => {
    const node = now.get(id);
    return node === undefined ? id.slice(0, 8) : nodeName(node);
  };
  const joined = snapshot.nodes.filter(({ id }) => !known.has(id));
  return [
    ...then.flatMap((print) => changeOf(print, now.get(print.id), nameOf)),
    ...joined.map((node) => `${nodeName(node)} has joined`),
  ];
}

function changeOf(
  then: NodePrint,
  node: RedisNode | undefined,
  nameOf: (id: string) => string,
): readonly string[] {
  if (node === undefined) return [`${nameOf(then.id)} is no longer a member`];
  const now = printOf(node);
  const name = nodeName(node);
  if (now.role !== then.role) return [`${name} is now a ${now.role}`];
  if (now.masterId !== then.masterId) return [`${name} now replicates ${nameOf(now.masterId ?? '')}`];
  if (formatSlots(now.slots) !== formatSlots(then.slots)) {
    return [
      `${name} now owns slots ${formatSlots(now.slots) || 'none'}, not ${formatSlots(then.slots) || 'none'}`,
    ];
  }
  return now.epoch === then.epoch
    ? []
    : [`${name} now has config epoch ${now.epoch ?? 0}, not ${then.epoch ?? 0}`];
}
