import { randomUUID } from 'node:crypto';
import { formatAddress, type Address } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import { keySlot } from '../../model/keySlot.ts';
import { pause } from '../../model/pause.ts';
import { mayPass, migrateCommand, migrateRefusal } from '../migrateCommand.ts';
import type { Argument, Credentials, NodeConnection } from '../nodeConnection.ts';

/** What is asked: whether keys that one server migrates to an address arrive at another one. */
export interface Arrival {
  /** A connection on which the sender has said that it is the node that is meant. */
  readonly source: NodeConnection;
  /** The same of the receiver. */
  readonly target: NodeConnection;
  /** Where the source looks for the target. It resolves the address by itself, in its own network. */
  readonly address: Address;
  readonly credentials: Credentials;
  /** A slot that the source takes new keys in, and that the target owns or imports. */
  readonly slot: number;
  /** Resolves once the target imports the slot, where that was asked for just now: nobody waits for it before. */
  readonly opening?: Promise<void>;
  /** What the target is told as soon as the key is removed, in the same write. */
  readonly afterwards?: readonly (readonly Argument[])[];
  /** Set where the source only imports that slot. */
  readonly isImported?: boolean;
  readonly patienceMs: number;
  /** How messages call the two. */
  readonly names: { readonly source: string; readonly target: string };
}

/** A key that another server gets, or that a crash leaves behind, is gone after so long; milliseconds. */
const lifetimeMs = 60_000;
const triesWithoutProgress = 4;
const triesWhileStarting = 30;

/**
 * Sends a key of its own, which holds nothing and expires by itself, and removes it at the target: it can only be
 * there if the address leads there. MIGRATE deletes at the source what any server takes, so this comes before the first
 * key of a user. `unknown` where the source takes no new key, such as for want of rights. Throws UserError `unsafe`
 * where the key went elsewhere, and what the source says where it cannot send.
 */
export async function proveArrival(arrival: Arrival): Promise<'proven' | 'unknown'> {
  const key = keyIn(arrival.slot);
  let isSent = false;
  try {
    isSent = await isTaken(arrival, key);
  } finally {
    // What fails here expires by itself.
    if (!isSent) await unlink(arrival.source, key).catch(() => undefined);
  }
  if (!isSent) return 'unknown';
  await arrival.opening;
  const removed = await unlink(arrival.target, key, arrival.afterwards);
  if (removed === 1) return 'proven';
  if (removed instanceof Error) return 'unknown';
  throw gotLost(arrival);
}

async function unlink(
  server: NodeConnection,
  key: Buffer,
  afterwards: Arrival['afterwards'] = [],
): Promise<unknown> {
  const [, removed, ...replies] = await server.pipeline([['ASKING'], ['UNLINK', key], ...afterwards]);
  const refusal = replies.find((reply) => reply instanceof Error);
  if (refusal !== undefined) throw refusal;
  return removed;
}

/** Whether some server has taken the key, after as many tries as keys get; false where the source takes no new key. */
async function isTaken(arrival: Arrival, key: Buffer): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const sent = await send(arrival, key);
    if (sent === 'sent' || sent === 'unknown') return sent === 'sent';
    const isStarting = /LOADING|CLUSTERDOWN/.test(sent.message);
    if (attempt === 1 && arrival.opening !== undefined && isEarly(sent)) {
      await arrival.opening;
      continue;
    }
    if (!mayPass(sent)) throw sent;
    if (attempt >= (isStarting ? triesWhileStarting : triesWithoutProgress)) throw notSent(arrival, sent);
    await pause(Math.min(1000, 100 * attempt));
  }
}

/** What a target says that does not import the slot yet. */
function isEarly({ message }: Error): boolean {
  return message.includes('Target instance replied with error: MOVED');
}

/** Sets the key, unless an earlier attempt has left it, and sends it in the same write. */
async function send(arrival: Arrival, key: Buffer): Promise<'sent' | 'unknown' | Error> {
  const { source, address, credentials, patienceMs, isImported } = arrival;
  const asking: Argument[][] = isImported === true ? [['ASKING']] : [];
  const how = { target: address, credentials, timeoutMs: patienceMs, options: ['REPLACE'] as const };
  const migrate = migrateCommand(how, [key]);
  const tries: Argument[][] = [
    ['SET', key, '', 'PX', lifetimeMs],
    // A server that is full takes no other key: that is why its slots move.
    ['EVAL', oneKeyMore, 1, key, lifetimeMs],
  ];
  for (const set of tries) {
    const replies = await source.pipeline([...asking, set, migrate]);
    const [taken, reply] = replies.slice(-2);
    if (taken instanceof Error) {
      if (taken.message.startsWith('OOM')) continue;
      return mayPass(taken) ? taken : 'unknown';
    }
    if (reply === 'OK') return 'sent';
    return reply === 'NOKEY' ? 'unknown' : migrateRefusal(reply);
  }
  return 'unknown';
}

const oneKeyMore = "#!lua flags=allow-oom\nreturn redis.call('SET',KEYS[1],'','PX',ARGV[1])";

/** A hash tag for each slot for which one was sought, and the number from which on to seek. */
const tags = new Map<number, string>();
let nextTag = 0;

/** A name that nobody else uses, with the hash tag that leads to the slot. */
function keyIn(slot: number): Buffer {
  while (!tags.has(slot)) {
    const tag = String(nextTag++);
    tags.set(keySlot(tag), tag);
  }
  return Buffer.from(`rck8s-arrival:{${tags.get(slot) ?? ''}}:${randomUUID()}`);
}

function notSent({ address, slot }: Arrival, refusal: Error): UserError {
  return new UserError(
    refusal.message.startsWith('IOERR') ? 'unreachable' : 'failed',
    `The source could not hand keys of hash slot ${slot} to ${formatAddress(address)}: ${refusal.message}.`,
    { cause: refusal },
  );
}

function gotLost({ address, names: { source, target } }: Arrival): UserError {
  return new UserError(
    'unsafe',
    `A test key that ${source} sent to ${formatAddress(address)} did not arrive at ${target}: another server answers there, and keys would go to it. Correct what ${target} announces (cluster-announce-ip, cluster-announce-port), or what routes that address, first.`,
  );
}
