import type { SlotSet } from '../../model/slots.ts';
import type { ClusterDialer, NodeConnection } from '../nodeConnection.ts';
import { readNodeView } from '../nodeView.ts';
import { pause } from '../../model/pause.ts';
import { lookForLargeKeys } from './bigKeys.ts';
import { describeBigKeys } from './bigKeysText.ts';
import { chooseWay } from './chooseWay.ts';
import { readNodeTimeout } from './ready.ts';
import { startSpeed } from './speed.ts';

/** One move of a plan, and for how long its keys may be looked at; milliseconds. */
export interface PlannedMove {
  readonly dialer: ClusterDialer;
  readonly from: string;
  readonly to: string;
  readonly slots: SlotSet;
  readonly withinMs: number;
}

/**
 * What a person is told before slots move about keys that may have to stay, at the speed that is assumed as long as
 * none was measured. Undefined where there are none, and where that could not be found out in time.
 */
export async function bigKeysAhead(move: PlannedMove): Promise<string | undefined> {
  const opened: NodeConnection[] = [];
  const dial = async (id: string): Promise<NodeConnection> => {
    const connection = await move.dialer.dial(id);
    opened.push(connection);
    return connection;
  };
  const close = (): void => {
    for (const connection of opened) connection.close();
  };
  const looking = look(move, dial);
  // What fails because of the closing is of no interest.
  looking.catch(() => undefined);
  return await Promise.race([looking, pause(move.withinMs).then(() => undefined)]).finally(close);
}

async function look(
  { from, to, slots }: PlannedMove,
  dial: (id: string) => Promise<NodeConnection>,
): Promise<string | undefined> {
  const [source, target] = await Promise.all([dial(from), dial(to)]);
  if ((await chooseWay({}, source, target)) !== 'migrate') return undefined;
  const [view, nodeTimeoutMs] = await Promise.all([readNodeView(source), readNodeTimeout(source)]);
  const longestMs = nodeTimeoutMs / 2;
  const largeKeys = await lookForLargeKeys({ source, dial }, view, slots, longestMs);
  const all = slots.flatMap(([start, end]) =>
    Array.from({ length: end - start + 1 }, (_, index) => start + index),
  );
  const speed = startSpeed(
    () => 0,
    () => 0,
  );
  const big = (await largeKeys.in(all))
    .map((key) => ({ ...key, worstMs: speed.worstMs(key) }))
    .filter(({ worstMs }) => worstMs > longestMs);
  if (big.length === 0) return undefined;
  const stay = big.length === 1 ? 'Its slot stays where it is' : 'Their slots stay where they are';
  return `${describeBigKeys(big, nodeTimeoutMs)} ${stay}, unless the servers turn out to be fast enough.`;
}
