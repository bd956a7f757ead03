import { NotRdb, type Cursor } from './cursor.ts';

/** Which family of servers wrote a file: the same number is another kind of value in each (type 22). */
export type Family = 'redis' | 'valkey';

type Skip = (cursor: Cursor) => void;

const string: Skip = (cursor) => {
  cursor.skipString();
};

function fixed(bytes: number): Skip {
  return (cursor) => {
    cursor.skip(bytes);
  };
}

const number: Skip = (cursor) => {
  cursor.skipNumber();
};

function inOrder(...parts: readonly Skip[]): Skip {
  return (cursor) => {
    for (const part of parts) part(cursor);
  };
}

function listOf(...parts: readonly Skip[]): Skip {
  const entry = inOrder(...parts);
  return (cursor) => {
    for (let left = cursor.length(); left > 0; left--) entry(cursor);
  };
}

/** A double as text, with three lengths that stand for what is no number (redis/src/rdb.c, rdbLoadDoubleValue). */
const textDouble: Skip = (cursor) => {
  const length = cursor.byte();
  if (length < 253) cursor.skip(length);
};

const streamId = inOrder(number, number);
const rawStreamId = fixed(16);
const time = fixed(8);

/** What a producer has sent lately, so that nothing is added twice (Redis 8.6): its name, then ids with their entries. */
const producer = inOrder(string, listOf(string, streamId));

/** @param version of the encoding of streams: 1 to 4 */
function stream(version: number): Skip {
  const from = (first: number, ...parts: readonly Skip[]): readonly Skip[] => (version >= first ? parts : []);
  const consumer = inOrder(string, time, ...from(3, time), listOf(rawStreamId));
  const group = inOrder(
    ...[string, streamId, ...from(2, number)],
    listOf(rawStreamId, time, number),
    listOf(consumer),
  );
  return inOrder(
    listOf(string, string),
    ...[number, streamId],
    ...from(2, streamId, streamId, number),
    listOf(group),
    ...from(4, number, number, listOf(producer), number, number),
  );
}

/** A module's value describes itself: each part with its kind, up to an end (redis/src/rdb.h, RDB_MODULE_OPCODE_*). */
export const moduleParts: Skip = (cursor) => {
  for (;;) {
    const kind = cursor.length();
    if (kind === 0) return;
    if (kind === 1 || kind === 2) cursor.skipNumber();
    else if (kind === 3) cursor.skip(4);
    else if (kind === 4) cursor.skip(8);
    else if (kind === 5) cursor.skipString();
    else throw new NotRdb('a module’s value has an unknown part');
  }
};

/** How far each kind of value reaches, by its type in the file (redis/src/rdb.h, RDB_TYPE_*). */
const shapes: ReadonlyMap<number, Skip> = new Map<number, Skip>([
  [0, string],
  [1, listOf(string)],
  [2, listOf(string)],
  [3, listOf(string, textDouble)],
  [4, listOf(string, string)],
  [5, listOf(string, fixed(8))],
  [7, inOrder(number, moduleParts)],
  ...[9, 10, 11, 12, 13, 16, 17, 20].map((type): [number, Skip] => [type, string]),
  [14, listOf(string)],
  [15, stream(1)],
  [18, listOf(number, string)],
  [19, stream(2)],
  [21, stream(3)],
  [22, listOf(number, string, string)],
  [23, string],
  [24, inOrder(time, listOf(number, string, string))],
  [25, inOrder(time, string)],
  [26, stream(4)],
]);

const valkeyShapes: ReadonlyMap<number, Skip> = new Map([[22, listOf(string, string, time)]]);

/** Steps over a value. Throws NotRdb where the kind is not known, so that it is not known where the value ends. */
export function skipValue(cursor: Cursor, type: number, family: Family): void {
  const shape = (family === 'valkey' ? valkeyShapes.get(type) : undefined) ?? shapes.get(type);
  if (shape === undefined) throw new NotRdb(`a value has type ${type}, which is not known`);
  shape(cursor);
}
