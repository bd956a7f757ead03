import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Endpoint, TlsTrust } from './nodeConnection.ts';
import { tlsOptions } from './tlsOptions.ts';

const limitMs = 500;

/**
 * What a server says to a new connection of which nothing was asked: why it refuses, before it hangs up (`ERR max number
 * of clients reached`, `DENIED Redis is running in protected mode …`). Undefined where it says nothing. Never rejects.
 */
export async function firstWords(endpoint: Endpoint, tls: TlsTrust | undefined): Promise<string | undefined> {
  const answer = Promise.withResolvers<string | undefined>();
  const socket =
    tls === undefined ? connect(endpoint) : connectTls({ ...endpoint, ...tlsOptions(endpoint, tls) });
  let text = '';
  socket.setEncoding('utf8');
  socket.setTimeout(limitMs);
  socket.on('data', (part: string) => {
    text += part;
    if (text.includes('\n') || text.length > 4096) answer.resolve(/^-([^\r\n]*)/.exec(text)?.[1]);
  });
  for (const event of ['timeout', 'close', 'error']) {
    socket.on(event, () => {
      answer.resolve(undefined);
    });
  }
  try {
    return await answer.promise;
  } finally {
    socket.destroy();
  }
}
