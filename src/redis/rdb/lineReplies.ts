import { UserError } from '../../model/errors.ts';
import type { Argument, NodeConnection } from '../nodeConnection.ts';

/** A command; what stands in parts is one argument. */
type Command = readonly (Argument | readonly Buffer[])[];

/** A server that has not answered for so long is lost. */
const silenceLimitMs = 60_000;

/**
 * Sends commands that are answered by one line each, such as OK or an error, in great numbers: without what a client
 * library keeps for every command. The connection is used for nothing else from then on.
 */
export class LineReplies {
  readonly #socket: ReturnType<NodeConnection['takeOver']>;
  readonly #waiting: {
    left: number;
    readonly lines: string[];
    readonly resolve: (lines: readonly string[]) => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  #rest = '';
  #lost: Error | undefined;

  /** @param name what users call the server */
  constructor(connection: NodeConnection, name: string) {
    const socket = connection.takeOver();
    this.#socket = socket;
    socket.setTimeout(silenceLimitMs, () => {
      if (this.#waiting.length > 0) socket.destroy(new Error('it has sent nothing for a minute'));
    });
    socket.on('data', (piece: Buffer) => {
      this.#take(piece.toString('latin1'));
    });
    socket.on('error', (error) => {
      this.#lose(new UserError('unreachable', `${name} did not answer: ${error.message}`));
    });
    socket.on('close', () => {
      this.#lose(new UserError('unreachable', `${name} closed the connection.`));
    });
    socket.resume();
  }

  /** The replies in the order of the commands, without their line ends. Rejects with a UserError `unreachable`. */
  async send(commands: readonly Command[]): Promise<readonly string[]> {
    if (this.#lost !== undefined) throw this.#lost;
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ left: commands.length, lines: [], resolve, reject });
      for (const piece of encoded(commands)) this.#socket.write(piece);
    });
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\r\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const [first] = this.#waiting;
      if (first === undefined) return;
      first.lines.push(line);
      first.left -= 1;
      if (first.left > 0) continue;
      this.#waiting.shift();
      first.resolve(first.lines);
    }
  }

  #lose(error: Error): void {
    this.#lost ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

/** What is larger is sent as it is, and copied nowhere. */
const largeBytes = 1024 * 1024;

/** Commands by the protocol (https://redis.io/docs/latest/develop/reference/protocol-spec/), in few pieces. */
function encoded(commands: readonly Command[]): readonly Buffer[] {
  const pieces: Buffer[] = [];
  let parts: (string | Buffer)[] = [];
  let bytes = 0;
  const end = (): void => {
    const piece = Buffer.allocUnsafe(bytes);
    let at = 0;
    for (const part of parts) at += typeof part === 'string' ? piece.write(part, at) : part.copy(piece, at);
    pieces.push(piece);
    [parts, bytes] = [[], 0];
  };
  const add = (part: string | Buffer, length: number): void => {
    parts.push(part);
    bytes += length;
  };
  for (const command of commands) {
    let head = `*${command.length}\r\n`;
    for (const argument of command) {
      if (typeof argument === 'string' || typeof argument === 'number') {
        const text = String(argument);
        head += `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
        continue;
      }
      const values = Buffer.isBuffer(argument) ? [argument] : argument;
      head += `$${values.reduce((sum, { length }) => sum + length, 0)}\r\n`;
      add(head, Buffer.byteLength(head));
      head = '\r\n';
      for (const value of values) {
        if (value.length < largeBytes) {
          add(value, value.length);
          continue;
        }
        end();
        pieces.push(value);
      }
    }
    add(head, Buffer.byteLength(head));
  }
  end();
  return pieces;
}
