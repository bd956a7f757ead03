import { Cursor, NotRdb } from './cursor.ts';

// What small values are packed into: texts and whole numbers one behind the other. All of them give texts here, as the
// server would give them.

/** https://github.com/antirez/listpack: each entry says its form, and how long it is behind it. */
export function listpackEntries(bytes: Buffer): readonly Buffer[] {
  const cursor = new Cursor(bytes, 6);
  const entries: Buffer[] = [];
  for (;;) {
    const start = cursor.at;
    const first = cursor.byte();
    if (first === 0xff) return entries;
    entries.push(listpackEntry(cursor, first));
    cursor.skip(lengthBytes(cursor.at - start));
  }
}

function listpackEntry(cursor: Cursor, first: number): Buffer {
  if (first < 0x80) return number(first);
  if (first < 0xc0) return cursor.take(first & 0x3f);
  if (first < 0xe0) {
    const value = ((first & 0x1f) << 8) | cursor.byte();
    return number(value >= 0x1000 ? value - 0x2000 : value);
  }
  if (first < 0xf0) return cursor.take(((first & 0x0f) << 8) | cursor.byte());
  if (first === 0xf0) return cursor.take(cursor.take(4).readUInt32LE(0));
  const wide = { 0xf1: 2, 0xf2: 3, 0xf3: 4, 0xf4: 8 }[first];
  if (wide === undefined) throw new NotRdb('a listpack has an entry of an unknown form');
  return integer(cursor.take(wide));
}

/** How many bytes say how long an entry is. */
function lengthBytes(length: number): number {
  if (length < 0x80) return 1;
  if (length < 0x4000) return 2;
  if (length < 0x200000) return 3;
  return length < 0x10000000 ? 4 : 5;
}

/** What listpacks have taken the place of in Redis 7.0 (redis/src/ziplist.c): each entry says how long the one before is. */
export function ziplistEntries(bytes: Buffer): readonly Buffer[] {
  const cursor = new Cursor(bytes, 10);
  const entries: Buffer[] = [];
  for (;;) {
    const before = cursor.byte();
    if (before === 0xff) return entries;
    if (before === 0xfe) cursor.skip(4);
    entries.push(ziplistEntry(cursor));
  }
}

function ziplistEntry(cursor: Cursor): Buffer {
  const first = cursor.byte();
  if (first < 0x40) return cursor.take(first);
  if (first < 0x80) return cursor.take(((first & 0x3f) << 8) | cursor.byte());
  if (first < 0xc0) return cursor.take(cursor.take(4).readUInt32BE(0));
  if (first > 0xf0 && first < 0xfe) return number((first & 0x0f) - 1);
  const wide = { 0xc0: 2, 0xd0: 4, 0xe0: 8, 0xf0: 3, 0xfe: 1 }[first];
  if (wide === undefined) throw new NotRdb('a ziplist has an entry of an unknown form');
  return integer(cursor.take(wide));
}

export function intsetEntries(bytes: Buffer): readonly Buffer[] {
  const cursor = new Cursor(bytes);
  const wide = cursor.take(4).readUInt32LE(0);
  const count = cursor.take(4).readUInt32LE(0);
  if (wide !== 2 && wide !== 4 && wide !== 8) throw new NotRdb('a set of numbers has an unknown form');
  return Array.from({ length: count }, () => integer(cursor.take(wide)));
}

function integer(bytes: Buffer): Buffer {
  return bytes.length === 8
    ? Buffer.from(bytes.readBigInt64LE(0).toString())
    : number(bytes.readIntLE(0, bytes.length));
}

function number(value: number): Buffer {
  return Buffer.from(String(value));
}
