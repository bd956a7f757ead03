import { setTimeout as sleep } from 'node:timers/promises';
import type { KnownNode } from '../../../src/model/nodeView.ts';
import { formatSlots } from '../../../src/model/slots.ts';
import { withConnection } from '../../../src/operations/servers/withConnection.ts';
import type { ClusterDialer, NodeConnection } from '../../../src/redis/nodeConnection.ts';
import { parseClusterNodes } from '../../../src/redis/clusterNodes.ts';

/**
 * Lets a master pass on all it has acknowledged, and acknowledge nothing more: then nothing of it is unreplicated, nor
 * is a slot its own that its new master would not claim, for not having heard of it.
 */
export async function drain(dialer: ClusterDialer, id: string): Promise<void> {
  await withConnection({ dialer }, id, async (connection) => {
    await connection.call('CLIENT', 'PAUSE', 10_000, 'WRITE');
    for (let attempt = 0; attempt < 100; attempt++) {
      const text = String(await connection.call('INFO', 'replication'));
      const own = /master_repl_offset:(\d+)/.exec(text)?.[1];
      if (own !== undefined && text.includes(`state=online,offset=${own},`)) break;
      await sleep(20);
    }
    const { self, others } = await membersSeenBy(connection);
    for (const { id: replica, linkState } of others.filter(({ masterId }) => masterId === id)) {
      if (linkState === 'connected') await untilKnown(dialer, replica, self);
    }
  });
}

async function membersSeenBy(connection: NodeConnection): Promise<ReturnType<typeof parseClusterNodes>> {
  return parseClusterNodes(String(await connection.call('CLUSTER', 'NODES')));
}

/** Waits until a replica has heard which slots its master has. */
async function untilKnown(dialer: ClusterDialer, replica: string, master: KnownNode): Promise<void> {
  await withConnection({ dialer }, replica, async (connection) => {
    for (let attempt = 0; attempt < 100; attempt++) {
      const known = (await membersSeenBy(connection)).others.find(({ id }) => id === master.id);
      if (known !== undefined && formatSlots(known.slots) === formatSlots(master.slots)) return;
      await sleep(20);
    }
  });
}
