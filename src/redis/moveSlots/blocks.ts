import type { NodeView } from '../../model/nodeView.ts';
import { countSlots, lowestSlots, splitSlots, subtractSlots, type SlotSet } from '../../model/slots.ts';

const keysPerBlock = 4096;
const bigBytesPerSlot = 1024 * 1024;

/** What is moved in blocks of slots: what both ends said of themselves before. */
interface Moved {
  readonly slots: SlotSet;
  readonly source: NodeView;
  readonly target: NodeView;
}

/**
 * The slots in blocks of at most so many. A single slot comes first where the target owns none: no replica takes the
 * place of a master without slots (specification, "Replica election and promotion"), so until it has one, that server
 * alone has what was moved.
 */
export function blocksOf({ slots, source, target }: Moved, most: number): SlotSet[] {
  const first = ownsNone(target) ? lowestSlots(slots, 1) : [];
  const rest = splitSlots(subtractSlots(slots, first), blockSize(source, most));
  return first.length === 0 ? [...rest] : [first, ...rest];
}

export function ownsNone({ self }: NodeView): boolean {
  return self.slots.length === 0;
}

export function keysPerSlot({ keys, self }: NodeView): number {
  return keys / Math.max(1, countSlots(self.slots));
}

/** Few slots where they hold much: what is under way has to be small whatever the slots hold. */
function blockSize(source: NodeView, most: number): number {
  const perSlot = keysPerSlot(source);
  const bytesPerSlot = (source.usedMemoryBytes / Math.max(1, source.keys)) * perSlot;
  const byKeys = keysPerBlock / Math.max(1, perSlot);
  const byBytes = (most * bigBytesPerSlot) / Math.max(1, bytesPerSlot);
  return Math.max(1, Math.floor(Math.min(most, byKeys, byBytes)));
}
