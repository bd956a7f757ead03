import type { NodeView } from '../../model/nodeView.ts';
import type { NodeConnection } from '../../redis/nodeConnection.ts';
import type { Member } from './members.ts';
import type { Place, UpgradePorts } from '../statefulSets/ports.ts';
import { settingOf } from '../settings/settingOf.ts';

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
  const { namespace, port } = place;
  const set = ({ pod: { name }, view }: Member, level: string): Promise<unknown> =>
    ports.withNode(namespace, name, port, (one) => one.call('CONFIG', 'SET', setting, level), view?.self.id);
  const before = new Map<Member, string>();
  const quieting = verbose.map(async (member) => {
    const { pod, view } = member;
    const read = (one: NodeConnection) => settingOf(one, setting);
    const level = await ports.withNode(namespace, pod.name, port, read, view?.self.id);
    if (level === undefined) return;
    await set(member, quiet);
    before.set(member, level);
  });
  await Promise.allSettled(quieting);
  return async () => {
    await Promise.allSettled([...before].map(([member, level]) => set(member, level)));
  };
}

function logsEachSlot(view: NodeView | undefined): boolean {
  return view?.product === 'valkey' && view.version.startsWith('8.');
}
