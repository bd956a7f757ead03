import { UserError } from '../../src/model/errors.ts';
import type { Argument, ClusterDialer, NodeConnection } from '../../src/redis/nodeConnection.ts';
import { execute, isReading, type Session } from './commands.ts';
import { beginMigrate } from './migrate.ts';
import type { SimNode } from './node.ts';
import { nodeById, type World } from './world.ts';

/** Commands that were sent in one write and have not all been answered. */
export interface Sent {
  readonly commands: readonly (readonly Argument[])[];
  readonly replies: unknown[];
  readonly settle: (replies: readonly unknown[]) => void;
  readonly fail: (error: Error) => void;
}

/** What has arrived at the tool's machine while it stood still. */
export interface Inbox {
  frozen: boolean;
  readonly waiting: (() => void)[];
}

function deliver(inbox: Inbox, message: () => void): void {
  if (inbox.frozen) inbox.waiting.push(message);
  else message();
}

/** One connection of the tool, as the server sees it: what is to be executed, in order. */
export interface Line {
  readonly node: SimNode;
  readonly queue: Sent[];
  readonly session: Session;
  readonly inbox: Inbox;
  closed: boolean;
}

/** The tool's connections; the simulation decides when which of their commands are executed. */
export interface Switchboard {
  readonly dialer: ClusterDialer;
  readonly lines: Line[];
  /** The tool's machine loses the network: every command in hand fails, whether the server has seen it or not. */
  readonly cut: () => void;
  /** The tool dies: nothing is answered any more. What it had sent may still arrive, or may not. */
  readonly die: (arrives: boolean) => void;
  readonly inbox: Inbox;
}

export function newSwitchboard(world: World): Switchboard {
  const lines: Line[] = [];
  const inbox: Inbox = { frozen: false, waiting: [] };
  let isDead = false;
  return {
    lines,
    inbox,
    dialer: {
      credentials: {},
      dial: (id) => {
        const node = nodeById(world, id);
        if (node?.alive !== true) return Promise.reject(unreachable(node));
        const line: Line = { node, queue: [], session: { asking: false }, inbox, closed: false };
        lines.push(line);
        return Promise.resolve(connectionOver(line, () => isDead));
      },
    },
    cut: () => {
      for (const line of lines) hangUp(line);
    },
    die: (arrives) => {
      isDead = true;
      if (!arrives) for (const line of lines) line.queue.length = 0;
      else for (const line of lines) if (line.queue.length > 0) line.closed = true;
    },
  };
}

function unreachable(node: SimNode | undefined): UserError {
  const name = node === undefined ? 'an unknown node' : `${node.host}:${node.port}`;
  return new UserError('unreachable', `Redis at ${name} did not answer: connection lost`);
}

/** What the tool sees when a server is gone or the network is cut. */
export function hangUp(line: Line): void {
  line.closed = true;
  for (const { fail } of line.queue.splice(0)) {
    deliver(line.inbox, () => {
      fail(unreachable(line.node));
    });
  }
}

function connectionOver(line: Line, isDead: () => boolean): NodeConnection {
  const sendAll = async (commands: readonly (readonly Argument[])[]): Promise<readonly unknown[]> => {
    if (isDead()) return await Promise.race([]);
    if (line.closed || !line.node.alive) throw unreachable(line.node);
    if (commands.length === 0) return [];
    const { promise, resolve, reject } = Promise.withResolvers<readonly unknown[]>();
    line.queue.push({ commands, replies: [], settle: resolve, fail: reject });
    return await promise;
  };
  const one = async (command: readonly Argument[]): Promise<unknown> => {
    const [reply] = await sendAll([command]);
    if (reply instanceof Error) throw reply;
    return reply;
  };
  const asText = (reply: unknown): unknown => {
    if (Buffer.isBuffer(reply)) return reply.toString();
    return Array.isArray(reply) ? reply.map(asText) : reply;
  };
  const asBytes = (reply: unknown): unknown => {
    if (typeof reply === 'string') return Buffer.from(reply);
    return Array.isArray(reply) ? reply.map(asBytes) : reply;
  };
  return {
    call: async (...command) => asText(await one(command)),
    callBuffer: async (...command) => asBytes(await one(command)),
    pipeline: async (commands) => (await sendAll(commands)).map(asText),
    pipelineBuffer: async (commands) => (await sendAll(commands)).map(asBytes),
    takeOver: () => {
      throw new Error('A simulated server has no socket.');
    },
    close: () => {
      line.closed = true;
    },
  };
}

export function hasWork({ queue, node }: Line): boolean {
  return queue.length > 0 && (!node.alive || node.migration === undefined);
}

/**
 * Lets the server execute the next command of a connection, and those right after it that only read. Returns whether
 * the tool got an answer; a MIGRATE answers later.
 */
export function executeNext(world: World, line: Line, oneByOne: boolean): boolean {
  const [sent] = line.queue;
  if (sent === undefined) return false;
  if (!line.node.alive) {
    hangUp(line);
    return true;
  }
  do {
    const command = sent.commands[sent.replies.length];
    if (command === undefined) break;
    if (String(command[0]).toUpperCase() === 'MIGRATE') {
      let answered = false;
      const took = beginMigrate(world, line.node, command, (reply) => {
        sent.replies.push(reply);
        answered = settle(line, sent);
      });
      return took && answered;
    }
    sent.replies.push(attempt(world, line, command));
    if (oneByOne || !isReading(command)) break;
  } while (sent.replies.length < sent.commands.length);
  return settle(line, sent);
}

function attempt(world: World, line: Line, command: readonly Argument[]): unknown {
  try {
    return execute(world, line.node, command, line.session);
  } catch (error) {
    // Error replies are plain errors; all others are mistakes of the simulation.
    if (error instanceof Error && error.constructor === Error) return error;
    throw error;
  }
}

function settle(line: Line, sent: Sent): boolean {
  if (sent.replies.length < sent.commands.length) return false;
  const index = line.queue.indexOf(sent);
  if (index >= 0) line.queue.splice(index, 1);
  deliver(line.inbox, () => {
    sent.settle(sent.replies);
  });
  return true;
}
