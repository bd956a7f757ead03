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
  const [way, ofTarget] = await Promise.all([atomicWayOf(source), atomicWayOf(target)]);
  if (way === 'migrate' || way !== ofTarget) return 'migrate';
  return (await mayMove(way, source, target)) ? way : 'migrate';
}

const syncSlots = ['CLUSTER', 'SYNCSLOTS', 'ESTABLISH', 'x', 'x'] as const;
const write = ['SET', 'x', 'x'] as const;

/**
 * By their own means servers sign in to each other as the user for replication, which is often given just what
 * replication takes: a Valkey writes with its rights to the target, a Redis copies with them from the source.
 * Whoever may not ask for a user's rights tries it.
 */
async function mayMove(
  way: Exclude<MoveMethod, 'migrate'>,
  source: NodeConnection,
  target: NodeConnection,
): Promise<boolean> {
  const [client, server] = way === 'valkeyAtomic' ? [source, target] : [target, source];
  const commands = way === 'valkeyAtomic' ? [syncSlots, write] : [syncSlots];
  const setting: unknown = await client.call('CONFIG', 'GET', 'masteruser').catch(() => undefined);
  const user: unknown = Array.isArray(setting) ? setting[1] : undefined;
  if (typeof user !== 'string' || user === '') return true;
  const rights = await server.pipeline(commands.map((words) => ['ACL', 'DRYRUN', user, ...words]));
  return !rights.some(isDenied);
}

/** What the user may not run is answered as a text; a user that is not there is an error. */
function isDenied(answer: unknown): boolean {
  if (answer instanceof Error) return answer.message.includes('not found');
  return answer !== 'OK';
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
