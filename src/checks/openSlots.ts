import { mistakenImports, type MistakenImport } from '../model/mistakenImports.ts';
import type { OpenSlot } from '../model/nodeView.ts';
import { nodeName } from '../model/shards.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import { formatSlots, openSlotsIn, slotsFrom } from '../model/slots.ts';
import type { Rule } from './rule.ts';

/** Slots in migrating or importing state: right while a reshard runs, a left-over otherwise. */
export const openSlots: Rule = (snapshot) =>
  snapshot.nodes.flatMap((node) => {
    const { migrating = [], importing = [] } = node.view?.self ?? {};
    const open = openSlotsIn({ migrating, importing });
    if (open.length === 0) return [];
    const mistaken = mistakenImports(node, snapshot);
    return [
      {
        rule: 'open-slots',
        severity: mistaken.length === 0 ? ('warning' as const) : ('error' as const),
        message: `${nodeName(node)} has open hash slots: ${formatSlots(open)}.${dangerOf(mistaken)}`,
        evidence: [
          ...lines('Migrating to', migrating, snapshot),
          ...lines('Importing from', importing, snapshot),
        ],
        remedy:
          node.role === 'replica'
            ? 'If no reshard is running, “Heal Cluster…” closes them through its master.'
            : 'If no reshard is running, “Heal Cluster…” asks the masters where the keys of these slots are, then completes or closes the interrupted migration. It leaves unclear slots untouched and says what to decide.',
        nodeIds: [node.id],
        slots: open,
      },
    ];
  });

function dangerOf(mistaken: readonly MistakenImport[]): string {
  if (mistaken.length === 0) return '';
  const slots = formatSlots(slotsFrom(mistaken.map(({ slot }) => slot)));
  return ` It imports ${slots} from a master that does not own them: with the next failover or slot migration, their owner may drop its keys in them (Valkey).`;
}

function lines(text: string, open: readonly OpenSlot[], snapshot: ClusterSnapshot): readonly string[] {
  return [...Map.groupBy(open, ({ nodeId }) => nodeId)].map(([nodeId, slots]) => {
    const other = snapshot.nodes.find((node) => node.id === nodeId);
    const name = other === undefined ? nodeId : nodeName(other);
    return `${text} ${name}: ${formatSlots(slotsFrom(slots.map(({ slot }) => slot)))}`;
  });
}
