import type { Argument } from '../../src/redis/nodeConnection.ts';
import { forget, meet, replicateFrom, reset, startFailover } from './membership.ts';
import { overwrite, refusalOf, route, slotOf } from './keys.ts';
import { totalKeys, unitOf, write, type SimNode } from './node.ts';
import { bumpEpoch, setSlot } from './setSlot.ts';
import { clusterInfo, clusterNodes, info } from './texts.ts';
import type { World } from './world.ts';

/** What a connection remembers on the server's side. */
export interface Session {
  asking: boolean;
  /** What EXEC will execute; undefined outside a transaction. */
  queued?: (readonly Argument[])[] | undefined;
}

type Command = (world: World, node: SimNode, args: readonly Argument[], session: Session) => unknown;

const text = (argument: Argument | undefined): string =>
  Buffer.isBuffer(argument) ? argument.toString('latin1') : String(argument ?? '');

const settings: Readonly<Record<string, string>> = {
  'cluster-node-timeout': '2000',
  'cluster-allow-replica-migration': 'yes',
  maxmemory: '0',
  'maxmemory-policy': 'noeviction',
};

const clusterCommands: Readonly<Record<string, Command>> = {
  NODES: (world, node) => clusterNodes(world, node),
  INFO: (world, node) => clusterInfo(world, node),
  MYID: (_, node) => node.id,
  SETSLOT: (world, node, [slot, verb, id]) => {
    setSlot(world, node, Number(slot), text(verb).toUpperCase(), text(id));
    return 'OK';
  },
  COUNTKEYSINSLOT: (world, node, [slot]) => node.keys[unitOf(world.units, Number(slot))]?.size ?? 0,
  GETKEYSINSLOT: (world, node, [slot, count]) =>
    [...(node.keys[unitOf(world.units, Number(slot))]?.keys() ?? [])]
      .slice(0, Number(count))
      .map((key) => Buffer.from(key, 'latin1')),
  BUMPEPOCH: (_, node) => (bumpEpoch(node) ? `BUMPED ${node.configEpoch}` : `STILL ${node.configEpoch}`),
  MEET: (world, node, [host, port]) => meet(world, node, text(host), Number(port)),
  FORGET: (world, node, [id]) => forget(world, node, text(id)),
  REPLICATE: (_, node, [id]) => replicateFrom(node, text(id)),
  FAILOVER: (world, node, [how]) => startFailover(world, node, text(how).toUpperCase()),
  RESET: (world, node, [how]) => reset(world, node, text(how).toUpperCase()),
};

const commands: Readonly<Record<string, Command>> = {
  PING: () => 'PONG',
  INFO: (world, node) => info(world, node),
  TIME: (world) => [String(Math.floor(world.clock.now() / 1000)), '0'],
  CLIENT: () => 'OK',
  MULTI: (_, __, ___, session) => {
    session.queued = [];
    return 'OK';
  },
  EXEC: (world, node, _, session) => {
    const { queued } = session;
    if (queued === undefined) throw new Error('ERR EXEC without MULTI');
    session.queued = undefined;
    return queued.map((command) => {
      try {
        return execute(world, node, command, session);
      } catch (error) {
        return error;
      }
    });
  },
  ASKING: (_, __, ___, session) => {
    session.asking = true;
    return 'OK';
  },
  CONFIG: (_, __, [verb, name]) => {
    const value = settings[text(name)];
    if (text(verb).toUpperCase() !== 'GET') return 'OK';
    return value === undefined ? [] : [text(name), value];
  },
  // Which subcommands there are: none of those that move slots by themselves.
  COMMAND: (_, __, [, ...names]) => names.map(() => null),
  DBSIZE: (_, node) => totalKeys(node),
  MEMORY: (world, node, [, key]) =>
    node.keys[unitOf(world.units, slotOf(text(key)))]?.get(text(key))?.bytes ?? null,
  GET: (world, node, [key], { asking }) => {
    const routing = route(world, node, text(key), asking);
    const refusal = refusalOf(world, routing, slotOf(text(key)));
    if (refusal !== undefined) throw refusal;
    return routing.kind === 'here' && routing.value !== undefined ? String(routing.value.version) : null;
  },
  SET: (world, node, [key, version], { asking }) => {
    const value = { version: Number(version), bytes: 64 };
    const routing = overwrite(world, node, text(key), value, asking);
    const refusal = refusalOf(world, routing, slotOf(text(key)));
    if (refusal !== undefined) throw refusal;
    return 'OK';
  },
  UNLINK: (world, node, [key], { asking }) => {
    const name = text(key);
    const routing = route(world, node, name, asking);
    const refusal = refusalOf(world, routing, slotOf(name));
    if (refusal !== undefined) throw refusal;
    if (routing.kind !== 'here' || routing.value === undefined) return 0;
    write(node, { kind: 'del', unit: unitOf(world.units, slotOf(name)), key: name });
    return 1;
  },
  FLUSHALL: (_, node) => {
    if (node.role === 'replica') throw new Error("READONLY You can't write against a read only replica.");
    for (const [unit, keys] of node.keys.entries()) {
      for (const key of keys.keys()) node.stream.push({ kind: 'del', unit, key });
      keys.clear();
    }
    return 'OK';
  },
};

/** Lets a server execute one command other than MIGRATE; an error reply is thrown. */
export function execute(
  world: World,
  node: SimNode,
  command: readonly Argument[],
  session: Session,
): unknown {
  const [verb, ...args] = command;
  const name = text(verb).toUpperCase();
  const isCluster = name === 'CLUSTER';
  const found = isCluster ? clusterCommands[text(args[0]).toUpperCase()] : commands[name];
  if (found === undefined) {
    throw new Error(
      `ERR unknown ${isCluster ? `subcommand '${text(args[0])}'` : `command '${text(verb)}'`}.`,
    );
  }
  if (session.queued !== undefined && name !== 'EXEC') {
    session.queued.push(command);
    return 'QUEUED';
  }
  const asked = session.asking;
  const reply = found(world, node, isCluster ? args.slice(1) : args, session);
  if (asked) session.asking = false;
  return reply;
}

/** Whether a command changes nothing, so that several of one pipeline may run in one go. */
export function isReading([verb, sub]: readonly Argument[]): boolean {
  const name = text(verb).toUpperCase();
  if (name === 'CLUSTER') return /^(?:NODES|INFO|MYID|COUNTKEYSINSLOT|GETKEYSINSLOT)$/.test(text(sub));
  return /^(?:PING|INFO|TIME|CLIENT|CONFIG|COMMAND|DBSIZE|MEMORY|GET)$/.test(name);
}
