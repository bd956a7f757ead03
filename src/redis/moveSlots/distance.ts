import type { NodeConnection } from '../nodeConnection.ts';

const samples = 2;

/**
 * The way to a server and back in milliseconds: the shortest that was seen, first the given one and soon some more,
 * since a busy moment of this machine makes a near server look far.
 */
export function distanceTo(connection: NodeConnection, firstMs: number): () => number {
  let shortest = firstMs;
  void (async () => {
    for (let sample = 0; sample < samples; sample++) {
      const start = performance.now();
      await connection.call('PING');
      shortest = Math.min(shortest, performance.now() - start);
    }
  })().catch(() => undefined);
  return () => shortest;
}
