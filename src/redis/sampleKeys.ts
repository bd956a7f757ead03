import { parseAddress } from '../model/clusterRef.ts';
import { UserError } from '../model/errors.ts';
import { keySlot } from '../model/keySlot.ts';
import { hasSlot, type SlotSet } from '../model/slots.ts';
import { connectNode } from './connect.ts';
import type { Argument, Credentials, NodeConnection } from './nodeConnection.ts';
import { readNodeView } from './nodeView.ts';

/** Commands that travel in one write. */
const batchSize = 1000;

/**
 * Writes sample data of several types into a cluster, so that a sandbox has something to show: `count` keys, spread
 * over all masters by their hash slots. Takes the addresses of all nodes. Throws UserError.
 */
export async function fillSample(
  addresses: readonly string[],
  credentials: Credentials,
  count: number,
  signal?: AbortSignal,
): Promise<void> {
  const masters: { connection: NodeConnection; slots: SlotSet; commands: Argument[][] }[] = [];
  try {
    for (const address of addresses) {
      const times = { connectTimeoutMs: 5000, commandTimeoutMs: 30_000 };
      const connection = await connectNode(parseAddress(address), credentials, times);
      const { self } = await readNodeView(connection, { signal });
      masters.push({ connection, slots: self.slots, commands: [] });
    }
    for (let number = 0; number < count; number++) {
      const [key, ...command] = sampleCommand(number);
      const slot = keySlot(Buffer.from(key));
      masters
        .find(({ slots }) => hasSlot(slots, slot))
        ?.commands.push([command[0] ?? '', key, ...command.slice(1)]);
    }
    await Promise.all(masters.map(({ connection, commands }) => sendAll(connection, commands, signal)));
  } finally {
    for (const { connection } of masters) connection.close();
  }
}

/** The key, then the command and its arguments without the key. */
function sampleCommand(number: number): readonly [string, ...string[]] {
  const text = String(number);
  switch (number % 5) {
    case 0:
      return [`user:${text}`, 'HSET', 'name', `User ${text}`, 'email', `user${text}@example.com`];
    case 1:
      return [`cart:${text}`, 'RPUSH', `item ${text}`, 'gift wrap'];
    case 2:
      return [`tags:${text}`, 'SADD', 'new', `group${String(number % 7)}`];
    case 3:
      return [`scores:${text}`, 'ZADD', text, `player${text}`];
    default:
      return [`page:${text}`, 'SET', `<p>Page ${text}</p>`];
  }
}

async function sendAll(
  connection: NodeConnection,
  commands: readonly (readonly Argument[])[],
  signal?: AbortSignal,
): Promise<void> {
  for (let start = 0; start < commands.length; start += batchSize) {
    signal?.throwIfAborted();
    const replies = await connection.pipeline(commands.slice(start, start + batchSize));
    const refusal = replies.find((reply) => reply instanceof Error);
    if (refusal !== undefined) {
      throw new UserError('failed', `The server rejected the sample data: ${refusal.message}`, {
        cause: refusal,
      });
    }
  }
}
