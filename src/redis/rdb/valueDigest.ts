import { createHash } from 'node:crypto';
import { Cursor } from './cursor.ts';
import { intsetEntries, listpackEntries, ziplistEntries } from './packed.ts';
import { streamParts } from './streamParts.ts';
import type { Family } from './values.ts';

/** What people call a value's type. */
export type ValueType = 'string' | 'list' | 'set' | 'sorted set' | 'hash' | 'stream' | 'module value';

/** A value as its type sees it, whatever it is packed into. */
interface Content {
  readonly type: ValueType;
  /** Texts in the order of the type; those of a type without an order are sorted. */
  readonly parts: readonly Buffer[];
  /** When the first field of a hash expires, in ms since the epoch. */
  readonly firstExpiry?: number;
}

export interface ValueDigest extends Pick<Content, 'type' | 'firstExpiry'> {
  readonly digest: string;
}

/**
 * A digest of what a value is to its users: the same for a set, however its servers pack it and in whichever order. Takes
 * what DUMP gives. Undefined where only servers can tell, as of the values of modules.
 */
export function valueDigest(payload: Buffer, family: Family): ValueDigest | undefined {
  // Behind the value stand the version of the format and a sum.
  const cursor = new Cursor(payload.subarray(0, -10));
  const read = readers(family).get(cursor.byte());
  if (read === undefined) return undefined;
  const { type, parts, firstExpiry } = read(cursor);
  const hash = createHash('sha1').update(type);
  for (const part of parts) hash.update(`\n${part.length} `).update(part);
  return { type, digest: hash.digest('hex'), ...(firstExpiry === undefined ? {} : { firstExpiry }) };
}

/** As `valueDigest` names it, by the type in the file. */
export function typeName(type: number): ValueType {
  return typeNames.find(([, types]) => types.includes(type))?.[0] ?? 'module value';
}

const typeNames: readonly (readonly [ValueType, readonly number[]])[] = [
  ['string', [0]],
  ['list', [1, 10, 14, 18]],
  ['set', [2, 11, 20]],
  ['sorted set', [3, 5, 12, 17]],
  ['hash', [4, 9, 13, 16, 22, 23, 24, 25]],
  ['stream', [15, 19, 21, 26]],
];

type Read = (cursor: Cursor) => Content;
type Entries = (cursor: Cursor) => readonly Buffer[];

function times(cursor: Cursor, perEntry: (cursor: Cursor) => readonly Buffer[]): readonly Buffer[] {
  const parts: Buffer[] = [];
  for (let left = cursor.length(); left > 0; left--) parts.push(...perEntry(cursor));
  return parts;
}

const texts =
  (perEntry: number): Entries =>
  (cursor) =>
    times(cursor, () => Array.from({ length: perEntry }, () => cursor.string()));
const listpack: Entries = (cursor) => listpackEntries(cursor.string());
const ziplist: Entries = (cursor) => ziplistEntries(cursor.string());
const intset: Entries = (cursor) => intsetEntries(cursor.string());
const ziplists: Entries = (cursor) => times(cursor, ziplist);
const quicklist: Entries = (cursor) =>
  times(cursor, () => (cursor.length() === 1 ? [cursor.string()] : listpack(cursor)));

const list =
  (entries: Entries): Read =>
  (cursor) => ({ type: 'list', parts: entries(cursor) });
const set =
  (entries: Entries): Read =>
  (cursor) => ({ type: 'set', parts: entries(cursor).toSorted((a, b) => Buffer.compare(a, b)) });
const hash =
  (entries: Entries): Read =>
  (cursor) => ({ type: 'hash', parts: sortedGroups(entries(cursor), 2) });
const sortedSet =
  (entries: Entries): Read =>
  (cursor) => {
    const parts = entries(cursor).map((part, index) => (index % 2 === 0 ? part : scoreOf(part)));
    return { type: 'sorted set', parts: sortedGroups(parts, 2) };
  };

/** Fields with values and with when they expire, in ms since the epoch; 0 and less: never. */
const expiringHash =
  (entries: (cursor: Cursor) => readonly (readonly [Buffer, Buffer, number])[]): Read =>
  (cursor) => {
    const fields = entries(cursor).map(([field, value, at]) => [field, value, Math.max(0, at)] as const);
    const expiries = fields.map(([, , at]) => at).filter((at) => at > 0);
    const parts = fields.flatMap(([field, value, at]) => [field, value, Buffer.from(String(at))]);
    return {
      type: 'hash',
      // Without a field that expires it is a hash like any other.
      parts:
        expiries.length === 0
          ? sortedGroups(
              fields.flatMap(([field, value]) => [field, value]),
              2,
            )
          : sortedGroups(parts, 3),
      ...(expiries.length === 0 ? {} : { firstExpiry: Math.min(...expiries) }),
    };
  };

const metadataHash = expiringHash((cursor) => {
  const first = Number(cursor.take(8).readBigInt64LE(0));
  return Array.from({ length: cursor.length() }, () => {
    const after = cursor.length();
    return [cursor.string(), cursor.string(), after === 0 ? 0 : first + after - 1] as const;
  });
});

const listpackHash = expiringHash((cursor) => {
  cursor.skip(8);
  const entries = listpack(cursor);
  return Array.from({ length: entries.length / 3 }, (_, index) => {
    const [field = none, value = none, at = none] = entries.slice(index * 3);
    return [field, value, Number(at.toString())] as const;
  });
});

const valkeyHash = expiringHash((cursor) =>
  Array.from(
    { length: cursor.length() },
    () => [cursor.string(), cursor.string(), Number(cursor.take(8).readBigInt64LE(0))] as const,
  ),
);

const none = Buffer.alloc(0);

const common: readonly (readonly [number, Read])[] = [
  [0, (cursor) => ({ type: 'string', parts: [cursor.string()] })],
  [1, list(texts(1))],
  [2, set(texts(1))],
  [3, sortedSet((cursor) => times(cursor, () => [cursor.string(), textScore(cursor)]))],
  [4, hash(texts(2))],
  [5, sortedSet((cursor) => times(cursor, () => [cursor.string(), doubleText(cursor)]))],
  [10, list(ziplist)],
  [11, set(intset)],
  [12, sortedSet(ziplist)],
  [13, hash(ziplist)],
  [14, list(ziplists)],
  [16, hash(listpack)],
  [17, sortedSet(listpack)],
  [18, list(quicklist)],
  [20, set(listpack)],
  ...(
    [
      [15, 1],
      [19, 2],
      [21, 3],
      [26, 3],
    ] as const
  ).map(([type, version]): [number, Read] => [
    type,
    (cursor) => ({ type: 'stream', parts: streamParts(cursor, version) }),
  ]),
];
const byFamily: Readonly<Record<Family, ReadonlyMap<number, Read>>> = {
  redis: new Map([...common, [24, metadataHash], [25, listpackHash]]),
  valkey: new Map([...common, [22, valkeyHash]]),
};

function readers(family: Family): ReadonlyMap<number, Read> {
  return byFamily[family];
}

/** Sorts entries of several parts by their first one. */
function sortedGroups(parts: readonly Buffer[], size: number): readonly Buffer[] {
  return Array.from({ length: parts.length / size }, (_, index) =>
    parts.slice(index * size, (index + 1) * size),
  )
    .sort(([a = none], [b = none]) => Buffer.compare(a, b))
    .flat();
}

/** The same text for the same number, however a server wrote it. */
function scoreOf(text: Buffer): Buffer {
  const written = text.toString();
  const infinite = /^([+-]?)inf/i.exec(written);
  if (infinite !== null) return Buffer.from(infinite[1] === '-' ? '-inf' : 'inf');
  return Buffer.from(String(Number(written)));
}

function doubleText(cursor: Cursor): Buffer {
  return Buffer.from(String(cursor.take(8).readDoubleLE(0)).replace('Infinity', 'inf'));
}

/** As text, with three lengths that stand for what is no number. */
function textScore(cursor: Cursor): Buffer {
  const length = cursor.byte();
  if (length < 253) return cursor.take(length);
  return Buffer.from({ 253: 'nan', 254: 'inf', 255: '-inf' }[length] ?? 'nan');
}
