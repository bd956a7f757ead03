import type { NodeView } from '../../model/nodeView.ts';
import type { Member } from './members.ts';
import type { Place, UpgradePorts } from './ports.ts';
import { setOne, valueOf, type Server } from './setLive.ts';

const setting = 'loglevel';
const quiet = 'warning';

/**
 * Keeps servers of Valkey 8 from logging while a master of Redis hands over; resolves with what lets them log again as
 * before. They write one line for each hash slot that goes to another shard (9.0 writes one for each range,
 * https://github.com/valkey-io/valkey/pull/2481), and since Redis before 7.2 announces no shard id, they take its
 * hand-over for that: thousands of lines, during which the new master serves nobody (measured: 0.1 to 0.4 s). A server
 * that does not let itself be set logs, and one whose upgrade dies in between is quiet until it restarts: it is soon.
 */
export async function quietLogs(
  place: Place,
  members: readonly Member[],
  ports: Pick<UpgradePorts, 'withNode'>,
): Promise<() => Promise<void>> {
  const isMixed = members.some(({ view }) => view?.product === 'redis');
  const verbose = isMixed ? members.filter(({ view }) => logsEachSlot(view)) : [];
  const before = new Map<Server, string>();
  const quieting = verbose.map(async ({ pod: { name }, view }) => {
    const server = { pod: name, id: view?.self.id ?? '' };
    const level = await valueOf(place, server, setting, ports);
    await setOne(place, server, setting, quiet, ports);
    before.set(server, level);
  });
  await Promise.allSettled(quieting);
  return async () => {
    await Promise.allSettled(
      [...before].map(([server, level]) => setOne(place, server, setting, level, ports)),
    );
  };
}

function logsEachSlot(view: NodeView | undefined): boolean {
  return view?.product === 'valkey' && view.version.startsWith('8.');
}
