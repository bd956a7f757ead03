import type { Argument } from '../../src/redis/nodeConnection.ts';
import { isFree } from './failover.ts';
import { refusalOf, route, slotOf } from './keys.ts';
import { servesAll, unitOf, write, type SimNode } from './node.ts';
import type { World } from './world.ts';

interface Order {
  readonly host: string;
  readonly port: number;
  readonly timeout: number;
  readonly replace: boolean;
  readonly copy: boolean;
  readonly keys: readonly string[];
}

/**
 * The first half of MIGRATE: the target restores the keys, and the source stands still until `finishMigrate`. What
 * happens between the two, above all the death of either, leaves keys on both. Returns false where the target stands
 * still itself, so that the command has to wait.
 */
export function beginMigrate(
  world: World,
  source: SimNode,
  command: readonly Argument[],
  reply: (reply: unknown) => void,
): boolean {
  const order = parse(command);
  const slot = slotOf(order.keys[0] ?? order.host);
  const unit = unitOf(world.units, slot);
  const refusal = refuse(world, source, slot, order);
  const keys = order.keys.filter((key) => source.keys[unit]?.has(key));
  if (refusal !== undefined || keys.length === 0) {
    reply(refusal ?? 'NOKEY');
    return true;
  }
  const target = world.nodes.find(({ host, port }) => host === order.host && port === order.port);
  if (target?.alive === true && !isFree(target)) return false;
  const base = { target, unit, reply };
  if (target?.alive !== true) {
    world.clock.advance(order.timeout);
    source.migration = {
      ...base,
      confirmed: [],
      refusal: 'IOERR error or timeout reading from target instance',
    };
    return true;
  }
  const { confirmed, error } = restore(world, source, target, { ...order, keys }, unit);
  if (world.timeouts > 0) {
    world.timeouts--;
    world.clock.advance(order.timeout);
    source.migration = {
      ...base,
      confirmed: [],
      refusal: 'IOERR error or timeout reading from target instance',
    };
  } else {
    source.migration = {
      ...base,
      confirmed: order.copy ? [] : confirmed,
      refusal: error === undefined ? undefined : `ERR Target instance replied with error: ${error}`,
    };
  }
  return true;
}

/** The second half: the source deletes what the target has confirmed, and answers. */
export function finishMigrate(source: SimNode): void {
  const { migration } = source;
  if (migration === undefined) return;
  const { target, unit, confirmed, refusal, reply } = migration;
  source.migration = undefined;
  if (target?.alive !== true) {
    reply(new Error('IOERR error or timeout reading from target instance'));
    return;
  }
  for (const key of confirmed) write(source, { kind: 'del', unit, key });
  reply(refusal === undefined ? 'OK' : new Error(refusal));
}

/** `MIGRATE host port "" db timeout [COPY] [REPLACE] [AUTH password | AUTH2 user password] KEYS key …` */
function parse(command: readonly Argument[]): Order {
  const [, host, port, , , timeout] = command;
  const start = command.indexOf('KEYS');
  const options = command.slice(6, start).map(String);
  return {
    host: String(host),
    port: Number(port),
    timeout: Number(timeout),
    replace: options.includes('REPLACE'),
    copy: options.includes('COPY'),
    keys: command
      .slice(start + 1)
      .map((key) => (Buffer.isBuffer(key) ? key.toString('latin1') : String(key))),
  };
}

function refuse(world: World, source: SimNode, slot: number, { keys }: Order): Error | undefined {
  if (keys.some((key) => slotOf(key) !== slot)) {
    return new Error("CROSSSLOT Keys in request don't hash to the same slot");
  }
  const owner = source.owners[unitOf(world.units, slot)];
  if (owner === undefined || !servesAll(source)) return new Error('CLUSTERDOWN The cluster is down');
  const isOpen = source.migrating.has(slot) || source.importing.has(slot);
  if (source.role === 'master' && (owner === source.id || isOpen)) return undefined;
  return refusalOf(world, { kind: 'moved', id: owner }, slot);
}

/** RESTORE-ASKING of each key; stops being confirmed at the first that the target refuses, as the source reads it. */
function restore(
  world: World,
  source: SimNode,
  target: SimNode,
  { keys, replace }: Order,
  unit: number,
): { readonly confirmed: readonly string[]; readonly error: string | undefined } {
  const confirmed: string[] = [];
  let error: string | undefined;
  for (const key of keys) {
    const value = source.keys[unit]?.get(key);
    if (value === undefined) continue;
    const refusal = refusalOf(world, route(world, target, key, true), slotOf(key))?.message;
    const busy = !replace && target.keys[unit]?.has(key) === true;
    if (refusal === undefined && !busy) {
      write(target, { kind: 'restore', unit, key, value });
      confirmed.push(key);
    } else error ??= refusal ?? 'BUSYKEY Target key name already exists.';
  }
  return { confirmed, error };
}
