import { pingAll, receive } from './bus.ts';
import { isReady, stepClient, type Client } from './clients.ts';
import { executeNext, hasWork, type Line } from './dialer.ts';
import {
  canBeElected,
  canSync,
  elect,
  isBehind,
  isFree,
  isUnnoticed,
  notice,
  replicate,
  sync,
} from './failover.ts';
import { finishFailover } from './membership.ts';
import { finishMigrate } from './migrate.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

/** What can happen next, by kind; an event is a kind and a number within it, as one integer. */
export const kinds = [
  'command',
  'migrated',
  'bus',
  'replicate',
  'client',
  'timer',
  'notice',
  'elect',
  'sync',
  'handOver',
] as const;
export type Kind = (typeof kinds)[number];
const perKind = 4096;
/** Virtual time between pings; servers need it for nothing but news that no broadcast has carried. */
const pingMs = 40;
/** How late timers fire: on a slow machine who waits for something looks less often before giving up. */
const lateMs = 500;

/** How likely each kind of event is when it is one of several that could happen. */
export type Weights = Readonly<Record<Kind, number>>;

export interface Stage {
  readonly world: World;
  readonly clients: readonly Client[];
  readonly random: Random;
  /** Connections of the tool, also those of one that has died with commands on their way. */
  lines: readonly Line[];
  /** Every command of a pipeline is an event of its own; otherwise those that only read run in one go. */
  readonly oneByOne: boolean;
}

/** Everything that could happen now; while the tool's machine is frozen no timer of its fires. */
export function possible({ world, clients, lines }: Stage, isFrozen = false): readonly (readonly number[])[] {
  const { nodes } = world;
  pingWhenDue(world);
  const numbers = (passes: (node: World['nodes'][number]) => boolean): number[] => {
    const found: number[] = [];
    for (const node of nodes) if (passes(node)) found.push(node.number);
    return found;
  };
  const anyDead = nodes.some(({ alive }) => !alive);
  return [
    indices(lines, hasWork),
    numbers(({ alive, migration }) => alive && migration !== undefined),
    indices(world.links, (link, index) => link.length > 0 && isReceiving(world, index)),
    numbers((node) => isBehind(world, node)),
    indices(clients, (client) => isReady(world, client)),
    world.clock.waiting() && !isFrozen ? [0] : [],
    anyDead && hasAnswered(world) ? numbers((node) => isUnnoticed(world, node)) : [],
    anyDead ? numbers((node) => canBeElected(world, node)) : [],
    numbers((node) => node.unsynced && canSync(world, node)),
    numbers((node) => node.takingOver !== undefined && isFree(node)),
  ];
}

/**
 * Servers take another one for dead after cluster-node-timeout, and a command gets its answer in less: what was on its
 * way when the server died has arrived by then.
 */
function hasAnswered(world: World): boolean {
  return world.answeredFirst.every((isAnswered) => isAnswered());
}

/** Pings come at intervals, so that what they cannot mend does not keep everything else from happening. */
function pingWhenDue(world: World): void {
  if (world.clock.now() < world.nextPing) return;
  world.nextPing = world.clock.now() + pingMs;
  pingAll(world);
}

function indices<T>(all: readonly T[], passes: (one: T, index: number) => boolean): number[] {
  const found: number[] = [];
  for (const [index, one] of all.entries()) if (passes(one, index)) found.push(index);
  return found;
}

function isReceiving({ nodes }: World, link: number): boolean {
  const to = nodes[link % nodes.length];
  return to !== undefined && isFree(to);
}

/** Chooses by the weights; undefined where nothing can happen. */
export function choose(
  events: readonly (readonly number[])[],
  weights: Weights,
  random: Random,
): number | undefined {
  let total = 0;
  for (const [index, kind] of kinds.entries()) if (events[index]?.length !== 0) total += weights[kind];
  let left = random.below(1_000_000) * total * 1e-6;
  for (const [index, kind] of kinds.entries()) {
    const members = events[index] ?? [];
    if (members.length === 0) continue;
    left -= weights[kind];
    if (left < 0) return index * perKind + random.pick(members);
  }
  return undefined;
}

/** Chooses as an unhurried machine would: the servers among themselves first, the tool's patience last. */
export function chooseFairly(events: readonly (readonly number[])[], turn: number): number | undefined {
  const order: readonly Kind[] = ['notice', 'migrated', 'handOver', 'elect', 'bus', 'sync', 'replicate'];
  for (const kind of [
    ...order,
    ...(turn % 2 === 0 ? (['command', 'client'] as const) : (['client', 'command'] as const)),
    'timer',
  ] as const) {
    const index = kinds.indexOf(kind);
    const members = events[index] ?? [];
    const member = members[turn % Math.max(1, members.length)];
    if (member !== undefined) return index * perKind + member;
  }
  return undefined;
}

/** Lets an event happen; returns whether the tool may have something to do now. */
export function perform(stage: Stage, event: number): boolean {
  const { world } = stage;
  const number = event % perKind;
  const node = world.nodes[number];
  const kind = kinds[Math.floor(event / perKind)];
  switch (kind) {
    case 'command': {
      const line = stage.lines[number];
      return line !== undefined && executeNext(world, line, stage.oneByOne);
    }
    case 'bus': {
      const message = world.links[number]?.shift();
      const size = world.nodes.length;
      const to = world.nodes[number % size];
      if (message !== undefined && to !== undefined) receive(world, to, Math.floor(number / size), message);
      return false;
    }
    case 'client': {
      const client = stage.clients[number];
      if (client !== undefined) stepClient(world, client, stage.random);
      return false;
    }
    case 'timer':
      world.clock.fireNext(lateMs);
      return true;
    default:
      if (node === undefined || kind === undefined) throw new RangeError(`${event} is no event`);
      return performOn(world, node, kind);
  }
}

function performOn(
  world: World,
  node: World['nodes'][number],
  kind: Exclude<Kind, 'command' | 'bus' | 'client' | 'timer'>,
): boolean {
  switch (kind) {
    case 'migrated':
      finishMigrate(node);
      return true;
    case 'replicate':
      replicate(world, node);
      return false;
    case 'notice':
      notice(world, node);
      return false;
    case 'elect':
      elect(world, node);
      return false;
    case 'sync':
      sync(world, node);
      return false;
    case 'handOver':
      finishFailover(world, node);
      return false;
  }
}
