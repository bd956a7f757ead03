// A process that moves slots and kills itself in the middle: the request comes as a line on standard input.
import { createInterface } from 'node:readline';
import type { Address } from '../../../src/model/clusterRef.ts';
import type { SlotSet } from '../../../src/model/slots.ts';
import { connectNode } from '../../../src/redis/connect.ts';
import { concurrentMoves } from '../../../src/redis/moveSlots/concurrentMoves.ts';
import { moveSlots } from '../../../src/redis/moveSlots/moveSlots.ts';
import type { ClusterDialer } from '../../../src/redis/nodeConnection.ts';
import { faultyDialer } from './faultyDialer.ts';

export interface ProcessRequest {
  readonly nodes: readonly (Address & { readonly id: string })[];
  readonly from: string;
  readonly to: string;
  readonly slots: SlotSet;
  readonly otherMasters: readonly string[];
  readonly targetAddress: Address;
}

const { value: line } = await createInterface(process.stdin)[Symbol.asyncIterator]().next();
const request = JSON.parse(String(line)) as ProcessRequest;
const dialer: ClusterDialer = {
  credentials: {},
  dial: async (id) => {
    const node = request.nodes.find((candidate) => candidate.id === id);
    if (node === undefined) throw new Error(`unknown node ${id}`);
    return await connectNode(node, {}, { connectTimeoutMs: 3000, commandTimeoutMs: 15_000 });
  },
};
let migrates = 0;
await moveSlots({
  ...request,
  dialer: faultyDialer(dialer, (_, [verb]) => {
    if (verb === 'MIGRATE' && ++migrates === 400) process.kill(process.pid, 'SIGKILL');
    return undefined;
  }),
  signal: new AbortController().signal,
  moves: concurrentMoves(),
});
