import { quantity } from '../../model/quantity.ts';
import { slotsText } from '../../model/shards.ts';
import type { ClusterPart, ClusterSnapshot } from '../../model/snapshot.ts';
import { partText } from '../../checks/apart.ts';
import { nodeRow } from './nodeRow.ts';
import { errorIcon, type Row } from './row.ts';

/**
 * A part that has fallen off and holds keys or slots, below the cluster that keeps its name. Its nodes are shown and no command is offered on
 * them: plans are made of the part that the cluster's own rows show.
 */
export function partRow(id: string, snapshot: ClusterSnapshot, part: ClusterPart, index: number): Row {
  const { nodes, keys, slots } = part;
  const row = `${id}/parts/${nodes[0]?.id ?? index}`;
  return {
    id: row,
    label: `Part ${index + 2}`,
    description: [
      'disconnected from the other nodes',
      quantity(nodes.length, 'node'),
      quantity(keys, 'key'),
      slots.length === 0 ? 'no slots' : slotsText(slots),
    ].join(' · '),
    tooltip: [partText(part)],
    icon: errorIcon,
    facets: 'part',
    expansion: 'collapsed',
    children: nodes.map((node) => withoutCommands(nodeRow(row, { ...snapshot, nodes }, node))),
  };
}

function withoutCommands({ id, label, description, tooltip, icon, expansion, children }: Row): Row {
  return {
    id,
    label,
    icon,
    expansion,
    children,
    facets: 'partNode',
    ...(description === undefined ? {} : { description }),
    ...(tooltip === undefined ? {} : { tooltip }),
  };
}
