import type { NodeView } from '../../model/nodeView.ts';
import { hasSlot, slotsFrom, type SlotSet } from '../../model/slots.ts';
import type { NodeConnection } from '../nodeConnection.ts';
import type { MoveMethod, MoveRequest } from './request.ts';

/** The best way to move slots that both ends know: a server that is older at either end decides. */
export async function chooseWay(
  { method }: Pick<MoveRequest, 'method'>,
  source: NodeConnection,
  target: NodeConnection,
): Promise<MoveMethod> {
  if (method !== undefined) return method;
  const [ofSource, ofTarget] = await Promise.all([atomicWayOf(source), atomicWayOf(target)]);
  return ofSource === ofTarget ? ofSource : 'migrate';
}

/** COMMAND INFO answers nil for what a server does not know; a user who may not ask it gets the way that all know. */
async function atomicWayOf(connection: NodeConnection): Promise<MoveMethod> {
  const reply = await connection
    .call('COMMAND', 'INFO', 'cluster|migration', 'cluster|migrateslots')
    .catch(() => undefined);
  if (!Array.isArray(reply)) return 'migrate';
  if (Array.isArray(reply[0])) return 'redisAtomic';
  return Array.isArray(reply[1]) ? 'valkeyAtomic' : 'migrate';
}

export interface OpenSlots {
  /** Open between the two ends and asked for: the way that opened them has to finish them. */
  readonly ours: SlotSet;
  /** Whether either end has other slots open, for which servers refuse to move any by their own means. */
  readonly others: boolean;
}

export function openSlotsOf({ slots }: MoveRequest, source: NodeView, target: NodeView): OpenSlots {
  const open = [source, target].flatMap(({ self }) => [...self.migrating, ...self.importing]);
  const ours = open.filter(({ slot }) => hasSlot(slots, slot));
  return { ours: slotsFrom(ours.map(({ slot }) => slot)), others: ours.length < open.length };
}
