import { keySlot } from '../../model/keySlot.ts';
import type { NodeConnection } from '../nodeConnection.ts';
import { isElsewhere } from './isElsewhere.ts';
import { typeName, valueDigest, type ValueType } from './valueDigest.ts';
import type { Family } from './values.ts';

/** So many values of each type are compared for each master, and none that is larger than this. */
const mostOfType = 100;
const mostBytes = 256 * 1024;
/** A value that expires sooner than this may be gone when it is compared. */
const leastLifeMs = 600_000;
const batch = 20;

interface Sampled {
  readonly key: Buffer;
  readonly type: ValueType;
  readonly digest: string;
  readonly expiresAt: number;
}

interface Drawn {
  seen: number;
  readonly values: Sampled[];
}

/** A value that a server was given and has taken. */
export interface TakenValue {
  readonly key: Buffer;
  /** What DUMP would give, in parts. */
  readonly payload: readonly Buffer[];
  /** When it expires, in ms since the epoch; 0: never. */
  readonly expiresAt: number;
  readonly family: Family;
}

/** A value that is not what was written: by its type and slot, as names of keys stand in no message. */
export interface Difference {
  readonly type: ValueType;
  readonly slot: number;
  readonly what: 'missing' | 'value' | 'expiry';
}

/**
 * Draws values at random from all that are written, the same number of each type for each master, to compare them with
 * what the servers hold afterwards. What it holds and what comparing costs is bounded, whatever is written.
 */
export class ValueSample {
  readonly #drawn = new Map<string, Drawn>();
  readonly #now: () => number;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  get size(): number {
    return [...this.#drawn.values()].reduce((sum, { values }) => sum + values.length, 0);
  }

  add(master: string, { key, payload, expiresAt, family }: TakenValue): void {
    const type = payload[0]?.[0];
    if (type === undefined || payload.some(({ length }) => length > mostBytes)) return;
    const soon = this.#now() + leastLifeMs;
    if (expiresAt !== 0 && expiresAt < soon) return;
    const drawn = this.#of(`${master} ${typeName(type)}`);
    drawn.seen += 1;
    const at =
      drawn.values.length < mostOfType ? drawn.values.length : Math.floor(Math.random() * drawn.seen);
    if (at >= mostOfType) return;
    const read = valueDigest(Buffer.concat(payload), family);
    if (read === undefined || (read.firstExpiry ?? soon) < soon) return;
    drawn.values[at] = { key: Buffer.from(key), type: read.type, digest: read.digest, expiresAt };
  }

  /**
   * Compares what a server holds of the sampled keys in its slots. `elsewhere` are slots of which it is not the master.
   * @param isOwn whether the server owns a slot
   */
  async compare(
    connection: NodeConnection,
    family: Family,
    isOwn: (slot: number) => boolean,
  ): Promise<{ readonly differing: readonly Difference[]; readonly elsewhere: ReadonlySet<number> }> {
    const own = [...this.#drawn.values()]
      .flatMap(({ values }) => values)
      .map((value) => ({ ...value, slot: keySlot(value.key) }))
      .filter(({ slot }) => isOwn(slot));
    const differing: Difference[] = [];
    const elsewhere = new Set<number>();
    for (let first = 0; first < own.length; first += batch) {
      const some = own.slice(first, first + batch);
      const replies = await connection.pipelineBuffer(
        some.flatMap(({ key }) => [
          ['DUMP', key],
          ['PEXPIRETIME', key],
        ]),
      );
      for (const [index, { type, slot, digest, expiresAt }] of some.entries()) {
        const [dump, expiry] = replies.slice(index * 2);
        if (dump instanceof Error) {
          // A user who may not read a value compares none.
          if (isElsewhere(dump.message)) elsewhere.add(slot);
          continue;
        }
        const what = differenceOf(dump, family, digest, expiresAt, expiry);
        if (what !== undefined) differing.push({ type, slot, what });
      }
    }
    return { differing, elsewhere };
  }

  #of(name: string): Drawn {
    const found = this.#drawn.get(name) ?? { seen: 0, values: [] };
    this.#drawn.set(name, found);
    return found;
  }
}

function differenceOf(
  dump: unknown,
  family: Family,
  digest: string,
  expiresAt: number,
  expiry: unknown,
): Difference['what'] | undefined {
  if (!Buffer.isBuffer(dump)) return 'missing';
  const held = valueDigest(dump, family);
  if (held !== undefined && held.digest !== digest) return 'value';
  // An error: the server is older than PEXPIRETIME.
  const isOther = typeof expiry === 'number' && Math.max(0, expiry) !== expiresAt;
  return isOther ? 'expiry' : undefined;
}
