import type { Argument, NodeConnection } from '../nodeConnection.ts';
import type { LargeKey } from './bigKeys.ts';

const keysPerWrite = 1000;
/** Lists and streams travel in nodes of about this size, whatever their members. */
const bytesPerNode = 2048;

export type Sized = Omit<LargeKey, 'elements'>;

/** Every key of these slots. */
export async function scan(
  connection: NodeConnection,
  slots: readonly number[],
  least: number,
): Promise<readonly LargeKey[]> {
  const found: Sized[] = [];
  const counts = await connection.pipeline(
    slots.map((slot): Argument[] => ['CLUSTER', 'COUNTKEYSINSLOT', slot]),
  );
  for (const [index, slot] of slots.entries()) {
    const count = Number(counts[index]);
    if (!(count > 0)) continue;
    const listed = await connection.callBuffer('CLUSTER', 'GETKEYSINSLOT', slot, count);
    const keys = Array.isArray(listed) ? listed.filter((key) => Buffer.isBuffer(key)) : [];
    found.push(
      ...(await sizesOf(
        connection,
        keys.map((key) => ({ key, slot })),
        least,
      )),
    );
  }
  return await withElements(connection, found);
}

/** MEMORY USAGE looks at five members of a key and multiplies; to look at all would itself stop the server. */
export async function sizesOf(
  connection: NodeConnection,
  keys: readonly { readonly key: Buffer; readonly slot: number }[],
  least: number,
): Promise<readonly Sized[]> {
  const found: Sized[] = [];
  for (let start = 0; start < keys.length; start += keysPerWrite) {
    const some = keys.slice(start, start + keysPerWrite);
    const sizes = await connection.pipeline(
      some.map(({ key }): Argument[] => ['MEMORY', 'USAGE', key, 'SAMPLES', 5]),
    );
    for (const [place, key] of some.entries()) {
      const bytes = sizes[place];
      if (typeof bytes === 'number' && bytes > least) found.push({ ...key, bytes });
    }
  }
  return found;
}

export async function withElements(
  connection: NodeConnection,
  keys: readonly Sized[],
): Promise<readonly LargeKey[]> {
  return await Promise.all(
    keys.map(async (key) => ({ ...key, elements: await countElements(connection, key) })),
  );
}

const lengthOf: Readonly<Record<string, string>> = { hash: 'HLEN', set: 'SCARD', zset: 'ZCARD' };

/** How many parts of a key are written and read one by one. A type that is not known is taken for the slowest. */
async function countElements(
  connection: NodeConnection,
  { key, bytes }: Omit<LargeKey, 'elements'>,
): Promise<number> {
  const type = String(await connection.call('TYPE', key).catch(() => 'unknown'));
  if (type === 'string') return 1;
  if (type === 'list' || type === 'stream') return Math.ceil(bytes / bytesPerNode);
  const verb = lengthOf[type];
  const length =
    verb === undefined ? undefined : Number(await connection.call(verb, key).catch(() => Number.NaN));
  return length === undefined || Number.isNaN(length) ? Math.ceil(bytes / 48) : length;
}
