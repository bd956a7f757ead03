import { UserError } from '../../model/errors.ts';
import { nameOf } from '../servers/nodes.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import type { ClusterDialer, NodeConnection } from '../../redis/nodeConnection.ts';
import type { WaitPorts } from '../statefulSets/waitForPods.ts';
import { withConnection } from '../servers/withConnection.ts';

// A server that is started with `appendonly yes` and has no such file starts empty: it is written first.

/** Milliseconds a server has for writing its first append-only file. */
const rewriteLimit = 600_000;
const pollEvery = 500;

/** Whether a setting makes a server write its first append-only file. */
export function writesFile(name: string, value: string): boolean {
  return name === 'appendonly' && value === 'yes';
}

/** Whether a server writes its append-only file again, or is about to. @param info its INFO persistence */
export function isRewriting(info: string): boolean {
  return /aof_rewrite_(in_progress|scheduled):1/.test(info);
}

/** Throws a UserError where writing failed. @param where what people call the server */
export async function isWritten(connection: NodeConnection, where: string): Promise<boolean> {
  const info = String(await connection.call('INFO', 'persistence'));
  if (isRewriting(info)) return false;
  if (info.includes('aof_last_bgrewrite_status:err')) {
    throw new UserError('failed', `${where} could not write its append-only file: is its volume full?`);
  }
  return info.includes('aof_enabled:1') && info.includes('aof_last_bgrewrite_status:ok');
}

/** Throws a UserError where writing failed, or takes too long. */
export async function untilWritten(
  id: string,
  ports: Omit<WaitPorts, 'access'> & { readonly dialer: ClusterDialer; readonly snapshot: ClusterSnapshot },
): Promise<void> {
  const { now, delay, signal, report, snapshot } = ports;
  const where = nameOf(snapshot, id);
  const end = now() + rewriteLimit;
  while (!(await withConnection(ports, id, (one) => isWritten(one, where)))) {
    if (now() > end) throw new UserError('failed', `${where} has not written its append-only file yet.`);
    report({ text: `${where}: writing its append-only file` });
    await delay(pollEvery, signal);
    signal.throwIfAborted();
  }
}
