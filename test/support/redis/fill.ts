import { keySlot } from '../../../src/model/keySlot.ts';
import { readNodeView } from '../../../src/redis/nodeView.ts';
import { hasSlot } from '../../../src/model/slots.ts';
import type { Argument, ClusterDialer } from '../../../src/redis/nodeConnection.ts';
import type { TestCluster } from '../startRedisCluster.ts';

/** A key with the command that writes it; the key stands second in the command. */
export type Write = readonly [verb: string, key: Buffer, ...rest: Argument[]];

/** Sends each write to the master that owns its slot. */
export async function fill(
  { nodes, dialer }: { readonly nodes: readonly { readonly id: string }[]; readonly dialer: ClusterDialer },
  writes: Iterable<Write>,
): Promise<void> {
  const masters = await Promise.all(
    nodes.map(async ({ id }) => {
      const connection = await dialer.dial(id);
      const { self } = await readNodeView(connection);
      return { connection, slots: self.slots, pending: [] as Write[] };
    }),
  );
  const flush = async (master: (typeof masters)[number]): Promise<void> => {
    const replies = await master.connection.pipeline(master.pending.splice(0));
    const refusal = replies.find((reply) => reply instanceof Error);
    if (refusal !== undefined) throw refusal;
  };
  for (const write of writes) {
    const slot = keySlot(write[1]);
    const master = masters.find(({ slots }) => hasSlot(slots, slot));
    if (master === undefined) throw new Error(`nobody owns slot ${slot}`);
    master.pending.push(write);
    if (master.pending.length === 1000) await flush(master);
  }
  for (const master of masters) {
    await flush(master);
    master.connection.close();
  }
}

/** All keys of all masters with their serialised values, to compare before and after. */
export async function dumpAll({ nodes, dialer }: TestCluster): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (const { id } of nodes) {
    const connection = await dialer.dial(id);
    const view = await readNodeView(connection);
    if (view.replication.role === 'master') {
      const keys = (await connection.callBuffer('KEYS', '*')) as Buffer[];
      // A node that is importing a slot shows keys of it only to those who ask.
      const replies = await connection.pipelineBuffer(keys.flatMap((key) => [['ASKING'], ['DUMP', key]]));
      const dumps = replies.filter((_, index) => index % 2 === 1);
      for (const [index, key] of keys.entries()) {
        const name = key.toString('latin1');
        // A tool that is killed while it tests where keys arrive leaves a key of its own, which expires by itself.
        if (name.startsWith('rck8s-arrival:')) continue;
        if (all.has(name)) throw new Error(`two masters hold the key ${name}`);
        const dump = dumps[index];
        if (Buffer.isBuffer(dump)) all.set(name, dump.toString('latin1'));
      }
    }
    connection.close();
  }
  return all;
}
