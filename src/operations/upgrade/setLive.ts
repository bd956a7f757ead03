import { messageOf, UserError } from '../../model/errors.ts';
import { settingOf } from '../settingOf.ts';
import type { Difference } from './difference.ts';
import { readPods } from './facts.ts';
import type { Place, UpgradePorts } from './ports.ts';

/** Milliseconds a server has for writing its first append-only file. */
const rewriteLimit = 600_000;
const pollEvery = 500;

/** A server by its pod's name and the node id that it had when it was read. */
export interface Server {
  readonly pod: string;
  readonly id: string;
}

interface Done {
  readonly server: Server;
  readonly name: string;
  readonly before: string;
}

/**
 * Makes settings on the running servers, then keeps them in the ConfigMap. Where one server refuses one, those that
 * took it get their old value back and nothing is kept. Each is one node from beginning to end: a server that takes the
 * place of one meanwhile is refused.
 */
export async function setLive(
  place: Place,
  configMap: string | undefined,
  { live, atStart, redisConf }: Difference,
  ports: UpgradePorts,
): Promise<void> {
  const { namespace, statefulSet } = place;
  if (Object.keys({ ...live, ...atStart }).length === 0) return;
  const servers = await Promise.all(
    (await readPods(ports.access, namespace, statefulSet)).map(async ({ name: pod }): Promise<Server> => ({
      pod,
      id: (await ports.readNode(namespace, pod, place.port)).self.id,
    })),
  );
  const done: Done[] = [];
  try {
    for (const server of servers) {
      for (const name of Object.keys(atStart)) await valueOf(place, server, name, ports);
    }
    for (const [name, value] of Object.entries(live)) {
      for (const server of servers) {
        ports.signal.throwIfAborted();
        ports.report({ text: `${server.pod}: ${name} ${value}` });
        const before = await valueOf(place, server, name, ports);
        await setOne(place, server, name, value, ports);
        done.push({ server, name, before });
      }
    }
    if (live['appendonly'] === 'yes') for (const server of servers) await untilWritten(place, server, ports);
  } catch (error) {
    for (const { server, name, before } of done.reverse()) {
      await setOne(place, server, name, before, ports).catch(() => undefined);
    }
    throw error;
  }
  if (redisConf !== undefined && configMap !== undefined) {
    const change = { data: { 'redis.conf': redisConf } };
    await ports.access.patch('v1', 'ConfigMap', namespace, configMap, change, ports.signal);
  }
}

/** What the server in a pod has for a setting. */
export async function valueOf(
  { namespace, port }: Place,
  { pod, id }: Server,
  name: string,
  { withNode }: Pick<UpgradePorts, 'withNode'>,
): Promise<string> {
  const value = await withNode(namespace, pod, port, (one) => settingOf(one, name), id);
  if (value !== undefined) return value;
  throw new UserError(
    'invalid-input',
    `The server in ${pod} has no setting "${name}". No setting was changed; with it in redis.conf, servers would not start.`,
  );
}

/** Sets it there. */
export async function setOne(
  { namespace, port }: Place,
  { pod, id }: Server,
  name: string,
  value: string,
  { withNode }: Pick<UpgradePorts, 'withNode'>,
): Promise<void> {
  try {
    await withNode(namespace, pod, port, (one) => one.call('CONFIG', 'SET', name, value), id);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      'invalid-input',
      `The server in ${pod} refused "${name} ${value}": ${messageOf(error)}. No setting was changed.`,
      { cause: error },
    );
  }
}

/** A server that is started with `appendonly yes` and has no such file starts empty: it is written first. */
async function untilWritten(
  { namespace, port }: Place,
  { pod, id }: Server,
  { withNode, now, delay, signal, report }: UpgradePorts,
): Promise<void> {
  const end = now() + rewriteLimit;
  for (;;) {
    signal.throwIfAborted();
    const info = String(await withNode(namespace, pod, port, (one) => one.call('INFO', 'persistence'), id));
    const isBusy = /aof_rewrite_(in_progress|scheduled):1/.test(info);
    if (!isBusy && info.includes('aof_enabled:1') && info.includes('aof_last_bgrewrite_status:ok')) return;
    if (!isBusy && info.includes('aof_last_bgrewrite_status:err')) {
      throw new UserError(
        'failed',
        `The server in ${pod} could not write its append-only file: is its volume full?`,
      );
    }
    if (now() > end)
      throw new UserError('failed', `The server in ${pod} has not written its append-only file yet.`);
    report({ text: `${pod}: writing its append-only file` });
    await delay(pollEvery, signal);
  }
}
