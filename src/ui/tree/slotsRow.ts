import {
  failedSlots,
  nodeName,
  shardsOf,
  slotsText,
  uncoveredSlots,
  unverifiedSlots,
} from '../../model/shards.ts';
import type { ClusterRef } from '../../model/clusterRef.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { allSlots, countSlots, formatSlots, subtractSlots, type SlotRange } from '../../model/slots.ts';
import { errorIcon, type Row } from './row.ts';

/** The hash slots of a cluster by range, those that no master covers first. */
export function slotsRow(id: string, snapshot: ClusterSnapshot): Row {
  const [uncovered, failed] = [uncoveredSlots(snapshot), failedSlots(snapshot)];
  const unverified = unverifiedSlots(snapshot);
  const ranges = shardsOf(snapshot)
    .flatMap(({ master, slots }) => slots.map((range) => ({ range, master })))
    .sort((a, b) => a.range[0] - b.range[0]);
  const covered = countSlots(subtractSlots(allSlots, uncovered)).toLocaleString('en-US');
  return {
    id,
    label: 'Slots',
    description: [
      ...(uncovered.length === 0 ? [] : [`${slotsText(uncovered)} not covered`]),
      ...(failed.length === 0 ? [] : [`${slotsText(failed)} on failed masters`]),
      ...(unverified.length === 0 ? [] : [`${slotsText(unverified)} not verified`]),
      `${covered} covered`,
    ].join(' · '),
    icon:
      uncovered.length === 0 && failed.length === 0 && unverified.length === 0
        ? { name: 'symbol-array' }
        : errorIcon,
    facets: 'slots',
    expansion: 'collapsed',
    target: { kind: 'cluster', ref: snapshot.ref },
    children: [
      ...uncovered.map((range) => uncoveredRow(id, snapshot.ref, range)),
      ...ranges.map(({ range, master }) =>
        rangeRow(id, snapshot.ref, range, master === undefined ? '' : nodeName(master)),
      ),
    ],
  };
}

/** One range of hash slots; a click goes to it on the slot map. */
export function rangeRow(parent: string, ref: ClusterRef, range: SlotRange, owner?: string): Row {
  return {
    id: `${parent}/${range[0]}`,
    label: formatSlots([range]),
    description: [slotsText([range]), ...(owner === undefined ? [] : [owner])].join(' · '),
    icon: { name: 'symbol-array' },
    facets: 'range',
    expansion: 'none',
    target: { kind: 'slot', ref, slot: range[0] },
    click: { command: 'redisCluster.openSlotMap', title: 'Show on Slot Map' },
    children: [],
  };
}

function uncoveredRow(parent: string, ref: ClusterRef, range: SlotRange): Row {
  const row = rangeRow(`${parent}/uncovered`, ref, range, 'not covered');
  return { ...row, icon: errorIcon, facets: 'range uncovered' };
}
