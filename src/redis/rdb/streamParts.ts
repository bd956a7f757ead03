import type { Cursor } from './cursor.ts';

/**
 * What a stream is to its users: its entries, its last id, and its groups with what each consumer has not acknowledged.
 * When consumers were seen last is left out, as each version knows something else of it.
 * @param version of the encoding: what comes with 2 and 3 is only read over
 */
export function streamParts(cursor: Cursor, version: number): readonly Buffer[] {
  const parts: Buffer[] = [];
  for (let left = cursor.length(); left > 0; left--) parts.push(cursor.string(), cursor.string());
  parts.push(numbers(cursor, 3));
  if (version >= 2) numbers(cursor, 5);
  for (let left = cursor.length(); left > 0; left--) parts.push(...groupParts(cursor, version));
  return parts;
}

function groupParts(cursor: Cursor, version: number): readonly Buffer[] {
  const parts = [cursor.string(), numbers(cursor, 2)];
  if (version >= 2) numbers(cursor, 1);
  for (let left = cursor.length(); left > 0; left--) {
    parts.push(cursor.take(16));
    cursor.skip(8);
    numbers(cursor, 1);
  }
  for (let left = cursor.length(); left > 0; left--) {
    parts.push(cursor.string());
    cursor.skip(version >= 3 ? 16 : 8);
    for (let pending = cursor.length(); pending > 0; pending--) parts.push(cursor.take(16));
  }
  return parts;
}

/** Numbers as they stand there: the same ones have the same bytes. */
function numbers(cursor: Cursor, count: number): Buffer {
  const start = cursor.at;
  for (let left = count; left > 0; left--) cursor.skipNumber();
  return cursor.bytes.subarray(start, cursor.at);
}
