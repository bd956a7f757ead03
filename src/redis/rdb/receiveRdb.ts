import { UserError } from '../../model/errors.ts';
import { serverText } from '../../model/serverText.ts';
import type { NodeConnection } from '../nodeConnection.ts';

/** A server that makes its snapshot sends a line end every ten seconds (repl-ping-replica-period). */
const silenceLimitMs = 60_000;
const markBytes = 40;

/**
 * Has a server send all that it holds as an RDB file, as it sends it to a new replica: it forks for that, and no file is
 * written on its side. Returns the pieces of the file as they come. The connection ends with it. Throws UserErrors:
 * `failed` with the server's words, `unreachable` where it stops before the end.
 * @param name what users call the server
 */
export async function* receiveRdb(connection: NodeConnection, name: string): AsyncGenerator<Buffer> {
  // The end of the file is marked instead of its length being told ahead, for which a server writes a file of its own.
  await connection.call('REPLCONF', 'capa', 'eof');
  // From Redis 7.0 on: nothing is to follow the file. Others are cut off after it.
  await connection.call('REPLCONF', 'rdb-only', '1').catch(() => undefined);
  // Valkey writes what servers of this version can read, and gives up on a value that an older one could not.
  const version = /^valkey_version:(\S+)/m.exec(String(await connection.call('INFO', 'server')))?.[1];
  if (version !== undefined) await connection.call('REPLCONF', 'version', version).catch(() => undefined);
  const socket = connection.takeOver();
  socket.setTimeout(silenceLimitMs, () => {
    socket.destroy(new UserError('unreachable', `${name} has sent nothing for a minute.`));
  });
  const request = ['SYNC'];
  socket.write(`${request.join(' ')}\r\n`);
  const pieces: AsyncIterator<Buffer> = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    const { line, rest } = await readLine(pieces, name);
    const mark = /^\$EOF:(.{40})$/.exec(line)?.[1];
    const length = /^\$(\d+)$/.exec(line)?.[1];
    if (mark !== undefined) yield* untilMark(rest, pieces, Buffer.from(mark, 'latin1'), name);
    else if (length !== undefined) yield* ofLength(rest, pieces, Number(length), name);
    else {
      // What passes when the cluster has a new master, or the server has read its own data.
      const isPassing = /^-(?:NOMASTERLINK|MASTERDOWN|LOADING)\b/.test(line);
      throw new UserError(
        isPassing ? 'unreachable' : 'failed',
        `${name} sends no snapshot: ${serverText(line)}`,
      );
    }
  } finally {
    socket.destroy();
  }
}

/** What a server says first, after the line ends by which it says that it is still there. */
async function readLine(
  pieces: AsyncIterator<Buffer>,
  name: string,
): Promise<{ readonly line: string; readonly rest: Buffer }> {
  let text = Buffer.alloc(0);
  for (;;) {
    text = Buffer.concat([text, await nextOf(pieces, name)]);
    let start = 0;
    while (text[start] === 0x0a) start += 1;
    const end = text.indexOf('\r\n', start);
    if (end !== -1) return { line: text.toString('latin1', start, end), rest: text.subarray(end + 2) };
    if (text.length - start > 4096) throw new UserError('failed', `${name} sends no snapshot.`);
    text = text.subarray(start);
  }
}

async function* untilMark(
  rest: Buffer,
  pieces: AsyncIterator<Buffer>,
  mark: Buffer,
  name: string,
): AsyncGenerator<Buffer> {
  // The last bytes are held back, as they may be the mark.
  let held = rest;
  while (held.length < markBytes || !held.subarray(-markBytes).equals(mark)) {
    if (held.length > markBytes) yield held.subarray(0, -markBytes);
    held = Buffer.concat([held.subarray(-markBytes), await nextOf(pieces, name)]);
  }
  if (held.length > markBytes) yield held.subarray(0, -markBytes);
}

async function* ofLength(
  rest: Buffer,
  pieces: AsyncIterator<Buffer>,
  length: number,
  name: string,
): AsyncGenerator<Buffer> {
  let left = length;
  let piece = rest;
  for (;;) {
    const part = piece.subarray(0, left);
    left -= part.length;
    if (part.length > 0) yield part;
    if (left === 0) return;
    piece = await nextOf(pieces, name);
  }
}

async function nextOf(pieces: AsyncIterator<Buffer>, name: string): Promise<Buffer> {
  const next = await pieces.next();
  if (next.done === true) {
    throw new UserError(
      'unreachable',
      `${name} closed the connection before it had sent its whole snapshot.`,
    );
  }
  return next.value;
}
