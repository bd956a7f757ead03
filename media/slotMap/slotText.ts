import { quantity } from '../../src/model/quantity.ts';
import { slotCount, type SlotSet } from '../../src/model/slots.ts';
import type { ShardState } from '../../src/ui/panels/slotMap/messages.ts';
import { coveredCount, rangeAt, standingOf, type SlotTable } from './slotTable.ts';

/** `5,461`. */
export function number(value: number): string {
  return value.toLocaleString('en-US');
}

/** The share of all slots, as one reads it: `33.3%`, and never 0 or 100 where that is not exact. */
export function share(count: number): string {
  const percent = (count / slotCount) * 100;
  if (count > 0 && percent < 0.1) return '<0.1%';
  if (count < slotCount && percent > 99.9) return '>99.9%';
  return `${percent.toFixed(percent === 0 || percent === 100 ? 0 : 1)}%`;
}

/** Ranges with a proper dash; at most `limit` of them, the rest is counted. */
export function ranges(set: SlotSet, limit = set.length): string {
  const shown = set.slice(0, limit).map(([start, end]) => (start === end ? `${start}` : `${start}–${end}`));
  const left = set.length - shown.length;
  return shown.join(', ') + (left > 0 ? ` and ${quantity(left, 'more range')}` : '');
}

/** What to say of one slot, as the rows of the tooltip and as the sentence of the readout. */
export interface SlotText {
  readonly title: string;
  readonly owner: string;
  readonly range: string;
  readonly standing: string;
}

export function slotText(table: SlotTable, slot: number): SlotText {
  const owner = table.owners[slot];
  const [start, end] = rangeAt(table, slot);
  const range =
    start === end ? 'a range of one slot' : `${start}–${end}, ${quantity(end - start + 1, 'slot')}`;
  return {
    title: `Slot ${slot}`,
    owner: owner === undefined ? 'No owner' : owner.label,
    range,
    standing: standingText(table, slot),
  };
}

function standingText(table: SlotTable, slot: number): string {
  switch (standingOf(table, slot)) {
    case 'served':
      return 'Served';
    case 'uncovered':
      return 'Not served: no master owns it';
    case 'failed':
      return 'Not served: its master has failed';
    case 'unverified':
      return 'Unknown: its master does not answer';
    case 'contested':
      return 'Claimed by two masters; the one with the higher config epoch is shown';
    case 'moving': {
      const move = table.moving.get(slot);
      const one = {
        both: '',
        source: ' (reported by the source only)',
        target: ' (reported by the target only)',
      };
      const open = table.state.openIsExpected ? 'Moving now' : 'Open';
      return move === undefined ? open : `${open}: ${move.fromName} → ${move.toName}${one[move.saidBy]}`;
    }
  }
}

/** `2 replicas`, with what is wrong among them. */
export function replicasText({ replicas }: ShardState): string {
  if (replicas.length === 0) return 'No replicas';
  const bad = replicas.filter((replica) => replica.health !== 'ok').length;
  return quantity(replicas.length, 'replica') + (bad === 0 ? '' : `, ${number(bad)} unhealthy`);
}

/** The whole map in sentences, for those who do not see it. */
export function summary(table: SlotTable): string {
  const { state } = table;
  const shards = state.shards.map(
    (shard) =>
      `${shard.label}: ${quantity(shard.count, 'slot')}, ${share(shard.count)}, ${shard.healthText}` +
      `, ${replicasText(shard)}${shard.count === 0 ? '' : `, slots ${ranges(shard.slots, 10)}`}.`,
  );
  const covered = `${number(coveredCount(table))} of ${number(slotCount)} slots are covered`;
  const open =
    table.moving.size === 0
      ? ''
      : ` ${quantity(table.moving.size, 'slot')} ${state.openIsExpected ? 'moving now' : 'open'}.`;
  const running = state.running === undefined ? '' : ` Running: ${state.running.title}.`;
  return `${state.name}: ${covered} by ${quantity(state.shards.length, 'shard')}.${running}${open} ${shards.join(' ')}`;
}
