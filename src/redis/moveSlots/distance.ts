import type { NodeConnection } from '../nodeConnection.ts';

/** From here on the way to a server is worth hiding; milliseconds. */
export const farMs = 3;

const samples = 3;
/** A busy moment hardly makes both connecting and a PING take so long; milliseconds. */
const clearlyFarMs = 4 * farMs;

/**
 * The way to a server and back in milliseconds: the shortest of some samples, since a busy moment of this machine, such
 * as the first move of its process, makes a near server look far. Connecting goes there and back once at the least:
 * through a tunnel only the handshake does. One PING is enough where connecting took long as well.
 */
export async function distanceTo(connection: NodeConnection, dialMs: number): Promise<number> {
  let shortest = dialMs;
  for (let sample = 0; sample < samples; sample++) {
    const start = performance.now();
    await connection.call('PING');
    shortest = Math.min(shortest, performance.now() - start);
    if (shortest > clearlyFarMs) break;
  }
  return shortest;
}
