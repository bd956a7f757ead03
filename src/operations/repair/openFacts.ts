import { isKubernetesRef } from '../../model/clusterRef.ts';
import { keySlot } from '../../model/keySlot.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { allSlots, eachSlot, slotsFrom, subtractSlots, unionSlots, type SlotSet } from '../../model/slots.ts';
import type { Argument, ClusterDialer, NodeConnection } from '../../redis/nodeConnection.ts';
import { answers } from '../servers/nodes.ts';
import { withConnection } from '../servers/withConnection.ts';
import { readDispute, type Dispute } from './doubles.ts';
import { answeringMasters, judgeSlot, openSlotsOn, type Master } from './slotCase.ts';

/** What has to be asked before a repair can be planned: no reading of a cluster says where keys are. */
export interface HealFacts {
  /**
   * Keys by master and slot, in every slot that is open or in which a master that does not own it holds some; slots
   * without keys are absent, and so are masters that could not be asked.
   */
  readonly keys: ReadonlyMap<string, ReadonlyMap<number, number>>;
  /** Keys that several masters hold, where nothing tells which copy is the true one; by slot. */
  readonly disputes: ReadonlyMap<number, Dispute>;
  /** What `cluster-announce-ip` of a node says, where its own address is not that of its pod; empty where it is not set. */
  readonly announced: ReadonlyMap<string, string>;
}

/** Asks the servers. Changes nothing. A server that does not answer is absent from what it returns. */
export async function readHealFacts(snapshot: ClusterSnapshot, dialer: ClusterDialer): Promise<HealFacts> {
  const masters = answeringMasters(snapshot);
  const open = openSlotsOn(masters);
  const strayed = unionSlots(
    ...(await Promise.all(masters.map((node) => ask(dialer, node.id, (line) => strayedOn(line, node))))).map(
      (slots) => slots ?? [],
    ),
  );
  const slots = [...eachSlot(unionSlots(open, strayed))];
  const keys = new Map<string, ReadonlyMap<number, number>>();
  const counted = async ({ id }: Master): Promise<void> => {
    const counts = await ask(dialer, id, (line) => countKeys(line, slots));
    if (counts !== undefined) keys.set(id, counts);
  };
  await Promise.all([...masters.map(counted)]);
  const disputes = new Map<number, Dispute>();
  for (const slot of slots) {
    const place = judgeSlot(snapshot, slot, ({ id }) => keys.get(id)?.has(slot) === false);
    if (!('destination' in place)) continue;
    const withCopy = masters.filter(({ id }) => keys.get(id)?.has(slot) === true);
    const dispute = await readDispute(dialer, place, withCopy);
    if (dispute !== undefined) disputes.set(slot, dispute);
  }
  return { keys, disputes, announced: await readAnnounced(snapshot, dialer) };
}

/** What a server answers; undefined where it does not. */
export async function ask<T>(
  dialer: ClusterDialer,
  id: string,
  question: (line: NodeConnection) => Promise<T>,
): Promise<T | undefined> {
  try {
    return await withConnection({ dialer }, id, question);
  } catch {
    return undefined;
  }
}

/** Clients write meanwhile, so a first difference is not believed. */
const looks = 3;
/** Up to so many keys are listed: that is less to ask for than a count of each slot. */
const fewKeys = 5000;

/**
 * Slots in which a master holds keys and that it does not own. To count in all slots costs a round trip with 16,384
 * replies for each master, so where the keys of its own slots are all that it has, no more is asked.
 */
export async function strayedOn(line: NodeConnection, { slots }: Master): Promise<SlotSet> {
  if (Number(await line.call('DBSIZE')) <= fewKeys) {
    return subtractSlots(slotsFrom((await scanKeys(line)).map(keySlot)), slots);
  }
  const own = [...eachSlot(slots)];
  for (let look = 1; look <= looks; look++) {
    const replies = await line.pipeline([...countCommands(own), ['DBSIZE']]);
    const sum = replies.slice(0, -1).reduce<number>((total, reply) => total + Number(reply), 0);
    if (sum === Number(replies.at(-1))) return [];
  }
  const counts = await countKeys(line, [...eachSlot(subtractSlots(allSlots, slots))]);
  return slotsFrom(counts.keys());
}

/** All keys that are there from the beginning to the end of it. */
async function scanKeys(line: NodeConnection): Promise<readonly Buffer[]> {
  const keys: Buffer[] = [];
  let cursor = '0';
  do {
    const reply = await line.callBuffer('SCAN', cursor, 'COUNT', 1000);
    const [next, some] = Array.isArray(reply) ? (reply as readonly unknown[]) : [];
    if (!Array.isArray(some)) throw new Error('the server did not list its keys');
    keys.push(...some.filter((key) => Buffer.isBuffer(key)));
    cursor = String(next);
  } while (cursor !== '0');
  return keys;
}

/** Keys in each of these slots; those without are absent. */
export async function countKeys(
  line: NodeConnection,
  slots: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  const replies = await line.pipeline(countCommands(slots));
  const refused = replies.find((reply) => reply instanceof Error);
  if (refused !== undefined) throw refused;
  return new Map(
    slots.map((slot, index) => [slot, Number(replies[index])] as const).filter(([, keys]) => keys > 0),
  );
}

function countCommands(slots: readonly number[]): readonly Argument[][] {
  return slots.map((slot): Argument[] => ['CLUSTER', 'COUNTKEYSINSLOT', slot]);
}

/** Only where a node names another address than its pod has: it announces that one, or it is from before a restart. */
async function readAnnounced(
  snapshot: ClusterSnapshot,
  dialer: ClusterDialer,
): Promise<ReadonlyMap<string, string>> {
  const announced = new Map<string, string>();
  if (!isKubernetesRef(snapshot.ref)) return announced;
  const doubtful = snapshot.nodes.filter((node) => answers(node) && node.pod?.ip !== node.host);
  const read = async ({ id }: { readonly id: string }): Promise<void> => {
    const reply = await ask(dialer, id, (line) => line.call('CONFIG', 'GET', 'cluster-announce-ip'));
    if (Array.isArray(reply) && typeof reply[1] === 'string') announced.set(id, reply[1]);
  };
  await Promise.all(doubtful.map(read));
  return announced;
}
