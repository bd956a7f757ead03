import { connect } from 'node:net';
import type { Endpoint } from './nodeConnection.ts';

const limitMs = 400;

/**
 * Whether the server at an endpoint answers plain text: one that does waits for the end of a TLS greeting that is none to
 * it, and says nothing. It is sent PING and nothing else. Never rejects; a server that is late counts as one that does not.
 */
export async function speaksPlain(endpoint: Endpoint): Promise<boolean> {
  const answer = Promise.withResolvers<boolean>();
  const socket = connect(endpoint, () => socket.write('PING\r\n'));
  socket.setTimeout(limitMs);
  socket.once('data', (first: Buffer) => {
    answer.resolve(/^[+-]/.test(first.toString('latin1')));
  });
  for (const event of ['timeout', 'close', 'error']) {
    socket.on(event, () => {
      answer.resolve(false);
    });
  }
  try {
    return await answer.promise;
  } finally {
    socket.destroy();
  }
}
