import { UserError } from '../../model/errors.ts';
import type { KnownNode } from '../../model/nodeView.ts';
import { formatSlots, hasSlot, intersectSlots, subtractSlots, type SlotSet } from '../../model/slots.ts';
import type { NodeConnection } from '../nodeConnection.ts';
import { parseClusterNodes } from '../clusterNodes.ts';
import { pause } from '../../model/pause.ts';

export interface OwnersQuestion {
  /** The masters to ask, by node id: the target, the source and all others that can be asked. */
  readonly masters: ReadonlyMap<string, NodeConnection>;
  readonly owner: string;
  readonly slots: SlotSet;
  /** How long masters may take to agree; cluster-node-timeout is what gossip needs at the most. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** How long this goes on when the operation is to stop, such as for a window that closes; milliseconds. */
const stoppedMs = 500;

/**
 * Asks every master for its own view until all say that the slots are the owner's and none of them is open. Throws
 * UserError `failed` that says who sees it otherwise. What is to stop does not wait for them: the slots have moved, whoever
 * has heard of it.
 */
export async function verifyOwners(question: OwnersQuestion): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([untilAgreed(question, over.signal), afterStop(question.signal, over.signal)]);
  } finally {
    over.abort();
  }
}

/** Settles only once the operation is to stop. */
async function afterStop(stop: AbortSignal, over: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  stop.addEventListener(
    'abort',
    () => {
      resolve(undefined);
    },
    { once: true, signal: over },
  );
  if (stop.aborted) resolve(undefined);
  await promise;
  await pause(stoppedMs, over).catch(() => undefined);
}

async function untilAgreed(question: OwnersQuestion, over: AbortSignal): Promise<void> {
  const deadline = Date.now() + question.timeoutMs;
  for (;;) {
    const doubts = await Promise.all([...question.masters].map((entry) => doubt(question, ...entry)));
    const first = doubts.find((text) => text !== undefined);
    if (first === undefined || over.aborted) return;
    if (Date.now() > deadline) {
      throw new UserError(
        'failed',
        `The slots were moved, but the masters do not agree on it after ${Math.round(question.timeoutMs / 1000)} s: ${first}. Check the cluster before changing it again.`,
      );
    }
    await pause(100);
  }
}

async function doubt(
  { owner, slots }: OwnersQuestion,
  id: string,
  connection: NodeConnection,
): Promise<string | undefined> {
  const text = await connection.call('CLUSTER', 'NODES').then(String, () => undefined);
  if (text === undefined) return `node ${id} does not answer`;
  const { self, others } = parseClusterNodes(text);
  const missing = subtractSlots(slots, [self, ...others].find((node) => node.id === owner)?.slots ?? []);
  if (missing.length > 0) return `node ${id} lists another owner for slots ${formatSlots(missing)}`;
  if (self.id !== owner && intersectSlots(self.slots, slots).length > 0)
    return `node ${id} still claims them`;
  return hasOpen(self, slots) ? `node ${id} still has some of them open` : undefined;
}

function hasOpen(self: KnownNode, slots: SlotSet): boolean {
  return [...self.migrating, ...self.importing].some(({ slot }) => hasSlot(slots, slot));
}
