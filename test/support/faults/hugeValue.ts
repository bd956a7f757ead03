import { connect } from 'node:net';

/**
 * Sends one value of that size until the server ends the connection, as a client does that stores something far too
 * large. A server keeps in its buffer what has come of a command, however much memory that takes.
 */
export async function sendHugeValue(
  target: { readonly ip: string; readonly password: string | undefined },
  key: string,
  megabytes: number,
): Promise<void> {
  const socket = connect(6379, target.ip);
  // Reset or closed in order, both are the end.
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      resolve();
    });
  });
  socket.on('error', () => undefined).resume();
  if (target.password !== undefined) socket.write(command(['AUTH', target.password]));
  const bytes = megabytes << 20;
  socket.write(`*3\r\n$3\r\nSET\r\n$${Buffer.byteLength(key)}\r\n${key}\r\n$${bytes}\r\n`);
  const chunk = Buffer.alloc(1 << 20, 'x');
  const send = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', send);
  send();
  await closed;
}

function command(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
