import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { readNodeView } from '../../../src/redis/entry.ts';
import type { NodeConnection } from '../../../src/redis/nodeConnection.ts';

/** A master gives up a failover that nobody voted for after five seconds; milliseconds. */
const givenUpMs = 6000;

/**
 * Lets a replica take over, and resolves once it says that it is the master. It is told again where masters do not vote,
 * since they have not yet heard whose replica it is.
 */
export async function failOver(replica: NodeConnection): Promise<void> {
  for (let tries = 1; tries <= 5; tries++) {
    await replica.call('CLUSTER', 'FAILOVER');
    const deadline = performance.now() + givenUpMs;
    while (performance.now() < deadline) {
      if ((await readNodeView(replica)).replication.role === 'master') return;
      await delay(20);
    }
  }
  assert.fail('No majority voted for the replica.');
}
