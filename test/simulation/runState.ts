import type { Client } from './clients.ts';
import type { Inbox, Line } from './dialer.ts';
import type { Random } from './random.ts';
import type { Scenario } from './scenario.ts';
import { kinds, type Stage, type Weights } from './schedule.ts';
import type { World } from './world.ts';

/** Something that goes wrong after so many events, whatever is under way then. */
export interface Fault {
  readonly at: number;
  readonly kind: 'crash' | 'crashArriving' | 'freeze' | 'cut' | 'cancel' | 'kill' | 'restart';
  /** Which node dies or comes back, by its number. */
  readonly node?: number;
}

export interface Interleaving {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly faults: readonly Fault[];
}

export interface Ended {
  readonly events: number;
  /** Events until the first attempt of the operation was over: the points at which faults are worth injecting. */
  readonly firstEvents: number;
  /** Equal for runs in which the same events happened in the same order. */
  readonly fingerprint: string;
  readonly faults: number;
  readonly attempts: number;
  /** Acknowledged writes that went with a server before it had replicated them. */
  readonly unreplicated: number;
  /** Reads that missed moved keys between a server's death and the operation's end. */
  readonly hidden: number;
  /** Slots of which a node that is not the owner keeps copies after a server's death. */
  readonly leftovers: number;
  readonly problems: readonly string[];
  readonly trace: readonly string[];
}

export interface Tool {
  readonly lines: Line[];
  readonly die: (arrives: boolean) => void;
  readonly cut: () => void;
  readonly cancel: () => void;
  readonly inbox: Inbox;
  state: 'running' | 'done' | 'failed' | 'dead';
  error: unknown;
}

export interface Run {
  readonly interleaving: Interleaving;
  readonly world: World;
  readonly clients: readonly Client[];
  readonly random: Random;
  readonly weights: Weights;
  readonly stage: Stage;
  readonly due: Fault[];
  tool: Tool | undefined;
  /** Connections of tools that died with commands on their way. */
  orphans: Line[];
  events: number;
  /** Until then the tool's machine does nothing, like a laptop that is closed. */
  frozenUntil: number;
  injected: number;
  attempts: number;
  hashes: [number, number];
  readonly problems: string[];
  readonly trace: string[] | undefined;
}

/** Takes an event into the run's fingerprint, and into its trace where there is one. */
export function note(run: Run, event: number): void {
  const [one, other] = run.hashes;
  run.hashes = [Math.imul(one ^ event, 0x01000193) >>> 0, (Math.imul(other, 31) + event * 7 + 1) >>> 0];
  run.trace?.push(describe(run, event));
}

function describe(run: Run, event: number): string {
  const kind = kinds[Math.floor(event / 4096)] ?? '';
  const number = event % 4096;
  const size = run.world.nodes.length;
  if (kind === 'bus') return `${run.events} bus ${Math.floor(number / size)}→${number % size}`;
  if (kind !== 'command') return `${run.events} ${kind} ${number}`;
  const line = run.stage.lines[number];
  const [sent] = line?.queue ?? [];
  const command = sent?.commands[sent.replies.length]?.map((word) => (Buffer.isBuffer(word) ? 'key' : word));
  return `${run.events} node ${String(line?.node.number)}: ${String(command?.join(' '))}`;
}
