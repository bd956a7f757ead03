import { keyText } from '../../model/serverText.ts';
import type { Argument, ClusterDialer, NodeConnection } from '../../redis/nodeConnection.ts';
import { withConnection } from '../servers/withConnection.ts';
import { callsOpen, type Master, type SlotCase } from './slotCase.ts';

/** A key that several masters hold, of which no rule tells the true copy. */
export interface Dispute {
  /** The key as people may read it. */
  readonly key: string;
  readonly nodes: readonly Master[];
  /** The copies differ, one of them cannot be read because its server calls the slot closed, or they are too big to compare. */
  readonly why: 'differ' | 'closed' | 'big';
}

/** Bytes up to which two copies are compared: DUMP stops a server as long as it takes. */
const biggest = 16 * 1024 * 1024;
const keysPerWrite = 200;

interface Copy {
  readonly node: Master;
  readonly value: Buffer;
  readonly expires: boolean;
}

/**
 * Looks for a key whose true copy is not clear. Clients are served by the owner what it has, and by the target of its
 * migration what it has not; so of a key that both of these hold, the owner's copy is the true one. Copies elsewhere
 * are out of clients' reach: they are true where nobody else has the key, worthless where they are equal, and a
 * person's to judge where they differ. Resolves to undefined where every key is clear. Rejects as the servers do.
 */
export async function readDispute(
  dialer: ClusterDialer,
  { slot, serving }: SlotCase,
  withCopy: readonly Master[],
): Promise<Dispute | undefined> {
  const strays = withCopy.filter((node) => !serving.includes(node));
  if (strays.length === 0 || withCopy.length < 2) return undefined;
  const seen = new Map<string, Master[]>();
  for (const node of [...withCopy].sort((one, other) => (one.id < other.id ? -1 : 1))) {
    const names = await withConnection({ dialer }, node.id, (line) => listKeys(line, slot));
    for (const name of names) seen.set(name, [...(seen.get(name) ?? []), node]);
  }
  const doubled = [...seen]
    .filter(([, nodes]) => nodes.length > 1 && nodes.some((node) => strays.includes(node)))
    .sort(([one], [other]) => (one < other ? -1 : 1));
  for (let start = 0; start < doubled.length; start += keysPerWrite) {
    const some = doubled.slice(start, start + keysPerWrite);
    const dispute = await compare(dialer, slot, some);
    if (dispute !== undefined) return dispute;
  }
  return undefined;
}

/** As latin1 text, which keeps every byte. */
async function listKeys(line: NodeConnection, slot: number): Promise<ReadonlySet<string>> {
  const count = Number(await line.call('CLUSTER', 'COUNTKEYSINSLOT', slot));
  const keys = await line.callBuffer('CLUSTER', 'GETKEYSINSLOT', slot, count);
  if (!Array.isArray(keys)) throw new Error(`the keys of slot ${slot} were not listed`);
  return new Set(keys.filter((key) => Buffer.isBuffer(key)).map((key) => key.toString('latin1')));
}

async function compare(
  dialer: ClusterDialer,
  slot: number,
  doubled: readonly (readonly [string, readonly Master[]])[],
): Promise<Dispute | undefined> {
  const nodes = [...new Set(doubled.flatMap(([, withCopy]) => withCopy))];
  const copies = new Map<string, (Copy | Dispute['why'])[]>();
  for (const node of nodes) {
    const names = doubled.filter(([, withCopy]) => withCopy.includes(node)).map(([name]) => name);
    const read = await withConnection({ dialer }, node.id, (line) => readCopies(line, node, names));
    for (const [name, copy] of read) copies.set(name, [...(copies.get(name) ?? []), copy]);
  }
  for (const [name, withCopy] of doubled) {
    const why = differenceIn(copies.get(name) ?? []);
    if (why === undefined) continue;
    const closed = withCopy.filter((node) => !callsOpen(node, slot));
    return {
      key: keyText(Buffer.from(name, 'latin1')),
      nodes: withCopy,
      why: why === 'closed' && closed.length === 0 ? 'differ' : why,
    };
  }
  return undefined;
}

function differenceIn(copies: readonly (Copy | Dispute['why'])[]): Dispute['why'] | undefined {
  const [first, ...others] = copies;
  for (const copy of copies) if (typeof copy === 'string') return copy;
  if (first === undefined || typeof first === 'string') return undefined;
  const isSame = (copy: Copy | Dispute['why']): boolean =>
    typeof copy !== 'string' && copy.value.equals(first.value) && copy.expires === first.expires;
  return others.every(isSame) ? undefined : 'differ';
}

/** Copies on one server; a key that is gone meanwhile is absent. */
async function readCopies(
  line: NodeConnection,
  node: Master,
  names: readonly string[],
): Promise<readonly (readonly [string, Copy | Dispute['why']])[]> {
  const keys = names.map((name) => Buffer.from(name, 'latin1'));
  const sizes = await askEach(line, keys, (key) => ['MEMORY', 'USAGE', key]);
  const small = keys.filter((_, index) => Number(sizes[index]) <= biggest);
  const values = await askEach(line, small, (key) => ['DUMP', key]);
  const times = await askEach(line, small, (key) => ['PTTL', key]);
  return keys.flatMap((key, index): (readonly [string, Copy | Dispute['why']])[] => {
    const name = key.toString('latin1');
    const size = sizes[index];
    if (size instanceof Error) return [[name, 'closed']];
    if (Number(size) > biggest) return [[name, 'big']];
    const place = small.indexOf(key);
    const value = values[place];
    if (value instanceof Error) return [[name, 'closed']];
    return Buffer.isBuffer(value) ? [[name, { node, value, expires: Number(times[place]) >= 0 }]] : [];
  });
}

/** A server that imports a slot answers only those who ask for each key. */
async function askEach(
  line: NodeConnection,
  keys: readonly Buffer[],
  command: (key: Buffer) => readonly Argument[],
): Promise<readonly unknown[]> {
  const replies = await line.pipelineBuffer(keys.flatMap((key) => [['ASKING'], command(key)]));
  return replies.filter((_, index) => index % 2 === 1);
}
