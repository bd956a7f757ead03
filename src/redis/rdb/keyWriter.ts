import { messageOf, UserError } from '../../model/errors.ts';
import { keySlot } from '../../model/keySlot.ts';
import { hasSlot, slotCount, type SlotSet } from '../../model/slots.ts';
import type { Argument, NodeConnection } from '../nodeConnection.ts';
import { versionFor, type Reads } from './encodings.ts';
import type { RdbEntry, RdbKey } from './rdbReader.ts';
import { restorePayload } from './restorePayload.ts';
import type { Family } from './values.ts';

/** A master that takes keys. */
export interface Receiver {
  readonly name: string;
  readonly connection: NodeConnection;
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

interface Lane extends Receiver {
  commands: (readonly Argument[])[];
  bytes: number;
  readonly underWay: Promise<void>[];
}

/**
 * Writes keys of RDB files to the masters that own their slots, to all of them at once. A key that is there already stays
 * as it is, so that a restore that was interrupted can be run again. Throws a UserError with the server's words where one
 * refuses a key, such as for lack of memory.
 */
export class KeyWriter {
  readonly written: WrittenKeys = { restored: 0, kept: 0, expired: 0 };
  /** By slot: how many keys that do not expire it was given. */
  readonly lasting = new Uint32Array(slotCount);
  readonly #lanes: readonly Lane[];
  readonly #laneOf: readonly (Lane | undefined)[];
  readonly #now: () => number;

  /** @param now milliseconds since the epoch */
  constructor(receivers: readonly Receiver[], now: () => number) {
    this.#lanes = receivers.map((receiver) => ({ ...receiver, commands: [], bytes: 0, underWay: [] }));
    this.#laneOf = Array.from({ length: slotCount }, (_, slot) =>
      this.#lanes.find(({ slots }) => hasSlot(slots, slot)),
    );
    this.#now = now;
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
    const { expiresAt, idle, frequency, type } = entry;
    if (expiresAt !== undefined && expiresAt <= this.#now()) {
      this.written.expired += 1;
      return;
    }
    const key = entry.key;
    const slot = keySlot(key);
    const lane = this.#laneOf[slot];
    if (lane === undefined) throw new UserError('unsafe', 'No master owns the slot of a key any more.');
    const version = versionFor(type, family, lane.reads);
    if (version === undefined)
      throw new UserError('unsafe', `${lane.name} cannot read a value of type ${type}.`);
    const payload = restorePayload(entry.value, version);
    const more: Argument[] = [];
    if (idle !== undefined) more.push('IDLETIME', idle);
    if (frequency !== undefined) more.push('FREQ', frequency);
    lane.commands.push(['RESTORE', key, expiresAt ?? 0, payload, 'ABSTTL', ...more]);
    lane.bytes += payload.length + key.length;
    if (expiresAt === undefined) this.lasting[slot] = (this.lasting[slot] ?? 0) + 1;
    if (lane.bytes >= batchBytes || lane.commands.length >= batchKeys) await this.#send(lane);
  }

  async #send(lane: Lane): Promise<void> {
    const commands = lane.commands;
    if (commands.length > 0) {
      lane.commands = [];
      lane.bytes = 0;
      const answered = lane.connection.pipeline(commands).then((replies) => {
        for (const reply of replies) this.#count(reply, lane);
      });
      // Whoever waits for it is told; until then it is nobody's.
      answered.catch(() => undefined);
      lane.underWay.push(answered);
    }
    while (lane.underWay.length > mostUnderWay) await lane.underWay.shift();
  }

  #count(reply: unknown, { name }: Lane): void {
    if (!(reply instanceof Error)) this.written.restored += 1;
    else if (reply.message.startsWith('BUSYKEY')) this.written.kept += 1;
    else throw new UserError('failed', `${name} refused a key: ${messageOf(reply)}`);
  }

  /** On every master, since each runs functions for its own keys. */
  async #loadFunctions(code: Buffer): Promise<void> {
    for (const { connection, name } of this.#lanes) {
      try {
        await connection.call('FUNCTION', 'LOAD', code);
      } catch (error) {
        if (messageOf(error).includes('already exists')) continue;
        throw new UserError('failed', `${name} refused a library of functions: ${messageOf(error)}`);
      }
    }
  }
}
