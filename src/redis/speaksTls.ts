import { connect } from 'node:tls';
import type { Endpoint } from './nodeConnection.ts';

const limitMs = 1_000;

/**
 * Whether the server at an endpoint begins a TLS session: one that does closes a plain connection without a word. Its
 * certificate is not judged and nothing is sent to it. Never rejects; a server that is late counts as one without TLS.
 */
export async function speaksTls(endpoint: Endpoint): Promise<boolean> {
  const answer = Promise.withResolvers<boolean>();
  const socket = connect({ ...endpoint, rejectUnauthorized: false, timeout: limitMs });
  socket.on('secureConnect', () => {
    answer.resolve(true);
  });
  socket.on('timeout', () => {
    answer.resolve(false);
  });
  // A server that asks for a certificate of ours refuses in the words of TLS.
  socket.on('error', (error: NodeJS.ErrnoException) => {
    answer.resolve(error.code?.startsWith('ERR_SSL_TLSV') === true);
  });
  try {
    return await answer.promise;
  } finally {
    socket.destroy();
  }
}
