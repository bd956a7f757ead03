import type { NodeConnection } from '../nodeConnection.ts';

const samples = 3;

/**
 * The way to a server and back in milliseconds: the shortest of some samples, since a busy moment of this machine, such
 * as the first move of its process, makes a near server look far.
 */
export async function distanceTo(connection: NodeConnection): Promise<number> {
  let shortest = Infinity;
  for (let sample = 0; sample < samples; sample++) {
    const start = performance.now();
    await connection.call('PING');
    shortest = Math.min(shortest, performance.now() - start);
  }
  return shortest;
}
