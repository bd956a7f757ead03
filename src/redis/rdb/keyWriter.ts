import { isUnreachable, messageOf, UserError } from '../../model/errors.ts';
import { keySlot } from '../../model/keySlot.ts';
import { serverText } from '../../model/serverText.ts';
import { eachSlot, hasSlot, slotCount, type SlotSet } from '../../model/slots.ts';
import type { Argument, NodeConnection } from '../nodeConnection.ts';
import { isElsewhere } from './isElsewhere.ts';
import { LineReplies } from './lineReplies.ts';
import { versionFor, type Reads } from './encodings.ts';
import type { RdbEntry, RdbKey } from './rdbReader.ts';
import { payloadParts } from './restorePayload.ts';
import type { ValueSample } from './valueSample.ts';
import type { Family } from './values.ts';

/** A master that takes keys. */
export interface Receiver {
  readonly name: string;
  readonly connection: NodeConnection;
  /** Another connection to it, by which nothing but its keys is sent. */
  readonly forKeys: NodeConnection;
  readonly slots: SlotSet;
  readonly reads: Reads;
}

/** So much is sent to a master at once, and twice as much is on the way to it at most. */
const batchBytes = 512 * 1024;
const batchKeys = 500;
const mostUnderWay = 2;

/** What became of the keys of files. */
export interface WrittenKeys {
  restored: number;
  /** They were there already, and stay as they are. */
  kept: number;
  /** Their time was over. */
  expired: number;
}

interface WriterOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Is told of every value that was taken. */
  readonly sample: ValueSample;
  /** Which slots' keys are written; all where it is absent. */
  readonly isWanted?: (slot: number) => boolean;
}

type Restore = readonly [
  'RESTORE',
  key: Buffer,
  expiresAt: number,
  payload: readonly Buffer[],
  ...Argument[],
];

interface Pending {
  readonly command: Restore;
  readonly slot: number;
  readonly family: Family;
}

interface Lane extends Receiver {
  readonly replies: LineReplies;
  pending: Pending[];
  bytes: number;
  readonly underWay: Promise<void>[];
  isLost: boolean;
}

/**
 * Writes keys of RDB files to the masters that own their slots, to all of them at once. A key that is there already stays
 * as it is, so that a restore that was interrupted can be run again. Slots whose master was lost or is another one now are
 * `missed`, and their keys can be written again. Throws a UserError with the server's words where one refuses a key, such
 * as for lack of memory.
 */
export class KeyWriter {
  readonly written: WrittenKeys = { restored: 0, kept: 0, expired: 0 };
  /** By slot: how many keys that do not expire it was given. */
  readonly lasting = new Uint32Array(slotCount);
  /** Slots whose keys did not all arrive. */
  readonly missed = new Set<number>();
  readonly #lanes: readonly Lane[];
  readonly #laneOf: readonly (Lane | undefined)[];
  readonly #options: WriterOptions;

  constructor(receivers: readonly Receiver[], options: WriterOptions) {
    this.#lanes = receivers.map((receiver) => ({
      ...{ ...receiver, replies: new LineReplies(receiver.forKeys, receiver.name) },
      ...{ pending: [], bytes: 0 },
      ...{ underWay: [], isLost: false },
    }));
    this.#laneOf = Array.from({ length: slotCount }, (_, slot) =>
      this.#lanes.find(({ slots }) => hasSlot(slots, slot)),
    );
    this.#options = options;
  }

  /** @param family whose servers wrote the file */
  async write(entries: readonly RdbEntry[], family: Family): Promise<void> {
    for (const entry of entries) {
      if (entry.kind === 'functions') await this.#loadFunctions(entry.code);
      else await this.#writeKey(entry, family);
    }
  }

  /** Sends what is left, and waits until all of it is answered. */
  async end(): Promise<void> {
    await Promise.all(
      this.#lanes.map(async (lane) => {
        await this.#send(lane);
        await Promise.all(lane.underWay.splice(0));
      }),
    );
  }

  async #writeKey(entry: RdbKey, family: Family): Promise<void> {
    const { key, expiresAt } = entry;
    const slot = keySlot(key);
    if (this.#options.isWanted?.(slot) === false) return;
    if (expiresAt !== undefined && expiresAt <= this.#options.now()) {
      this.written.expired += 1;
      return;
    }
    const lane = this.#laneOf[slot];
    if (lane === undefined || lane.isLost) {
      this.missed.add(slot);
      return;
    }
    const command = commandFor(entry, family, lane);
    lane.pending.push({ command, slot, family });
    lane.bytes += entry.valueBytes + key.length;
    if (expiresAt === undefined) this.lasting[slot] = (this.lasting[slot] ?? 0) + 1;
    if (lane.bytes >= batchBytes || lane.pending.length >= batchKeys) await this.#send(lane);
  }

  async #send(lane: Lane): Promise<void> {
    const pending = lane.pending;
    if (pending.length > 0) {
      lane.pending = [];
      lane.bytes = 0;
      const answered = this.#answered(lane, pending);
      // Whoever waits for it is told; until then it is nobody's.
      answered.catch(() => undefined);
      lane.underWay.push(answered);
    }
    while (lane.underWay.length > mostUnderWay) await lane.underWay.shift();
  }

  async #answered(lane: Lane, pending: readonly Pending[]): Promise<void> {
    try {
      const replies = await lane.replies.send(pending.map(({ command }) => command));
      for (const [index, one] of pending.entries()) this.#count(replies[index] ?? '', one, lane);
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      lane.isLost = true;
      for (const slot of eachSlot(lane.slots)) this.missed.add(slot);
    }
  }

  #count(reply: string, { command, slot, family }: Pending, { name }: Lane): void {
    if (reply.startsWith('+')) {
      const [, key, expiresAt, payload] = command;
      this.written.restored += 1;
      this.#options.sample.add(name, { key, payload, expiresAt, family });
    } else if (reply.startsWith('-BUSYKEY')) this.written.kept += 1;
    else if (isElsewhere(reply.slice(1))) this.missed.add(slot);
    else throw new UserError('failed', `${name} refused a key: ${serverText(reply.slice(1))}`);
  }

  /** On every master, since each runs functions for its own keys. */
  async #loadFunctions(code: Buffer): Promise<void> {
    for (const { connection, name, isLost } of this.#lanes) {
      if (isLost) continue;
      try {
        await connection.call('FUNCTION', 'LOAD', code);
      } catch (error) {
        // The keys of a master that is lost are written again, and its functions loaded with them.
        if (messageOf(error).includes('already exists') || isUnreachable(error)) continue;
        throw new UserError('failed', `${name} refused a library of functions: ${messageOf(error)}`);
      }
    }
  }
}

function commandFor(entry: RdbKey, family: Family, { name, reads }: Receiver): Restore {
  const { key, expiresAt, idle, frequency, type } = entry;
  const version = versionFor(type, family, reads);
  if (version === undefined) throw new UserError('unsafe', `${name} cannot read a value of type ${type}.`);
  const payload = payloadParts(entry.value, version);
  const more: Argument[] = [];
  if (idle !== undefined) more.push('IDLETIME', idle);
  if (frequency !== undefined) more.push('FREQ', frequency);
  return ['RESTORE', key, expiresAt ?? 0, payload, 'ABSTTL', ...more];
}
