// The process behind chaosClient.ts: options come as the first line of standard input, `stop` as the second.
import { Resolver } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, type ClusterOptions, type Redis } from 'ioredis';
import { keySlot } from '../../src/model/keySlot.ts';
import { tlsOptions, type ChaosOptions, type ChaosReport } from './chaosClient.ts';

const settings = {
  maxRedirections: 64,
  retryDelayOnFailover: 50,
  retryDelayOnClusterDown: 50,
  retryDelayOnTryAgain: 20,
  retryDelayOnMoved: 0,
  slotsRefreshTimeout: 1000,
  slotsRefreshInterval: 1000,
  scaleReads: 'master',
  redisOptions: { connectTimeout: 1000, commandTimeout: 2000, maxRetriesPerRequest: 3 },
} as const;
const keysPerWorker = 100;

interface Key {
  readonly name: string;
  readonly shard: string;
  attempted: number;
  acknowledged: number;
}

/** All keys that were ever written. */
const all: Key[] = [];
const errors = new Map<string, number>();
const losses: { key: string; kind: 'missing' | 'stale'; text: string }[] = [];
const lastAck = new Map<string, number>();
const gaps = new Map<string, number>();
let acknowledged = 0;
let longestGap = 0;
let lastOfAll = 0;
let stopped = false;

function connect(options: ChaosOptions): Cluster {
  const { nodes, username, password, tls, nameServer } = options;
  const redisOptions = {
    ...settings.redisOptions,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls: { ...tlsOptions(tls), lookup: lookUpAnnounced(options) } }),
  };
  const names = nameServer === undefined ? {} : { dnsLookup: lookUpAt(nameServer) };
  const cluster = new Cluster([...nodes], { ...settings, ...names, redisOptions });
  cluster.on('error', () => undefined);
  cluster.on('+node', handleAsking);
  return cluster;
}

/**
 * Following an ASK, ioredis drops the promise of the ASKING that it sends ahead: where that server dies meanwhile, its
 * rejection, which says nothing that the command's own does not, would end this process.
 */
function handleAsking(node: Redis): void {
  const ask = node.asking.bind(node);
  node.asking = async () => await ask().catch(() => 'OK' as const);
}

/** Servers that speak TLS announce the names that stand in their certificates, as pods see them. */
function lookUpAnnounced({ names = {}, nameServer }: ChaosOptions): LookupFunction {
  return (name, { all }, callback) => {
    const found = (error: Error | null, address: string): void => {
      if (all === true) callback(error, [{ address, family: 4 }]);
      else callback(error, address, 4);
    };
    const known = names[name];
    if (known !== undefined || nameServer === undefined) found(null, known ?? '');
    else {
      const whole = name.endsWith('.svc') ? `${name}.cluster.local` : name;
      lookUpAt(nameServer)(whole, (error, address) => {
        found(address === '' ? new Error(`${name}: ${error?.message ?? 'no address'}`) : null, address);
      });
    }
  };
}

/** Any one of a name's addresses, as a client in a pod gets it. */
function lookUpAt(nameServer: string): NonNullable<ClusterOptions['dnsLookup']> {
  const resolver = new Resolver({ timeout: 1000, tries: 2 });
  resolver.setServers([nameServer]);
  return (name, callback) => {
    if (isIP(name) !== 0) {
      callback(null, name, isIP(name));
      return;
    }
    resolver.resolve4(name, (error, addresses) => {
      if (error === null) callback(null, addresses[Math.floor(Math.random() * addresses.length)] ?? '', 4);
      else callback(error, '');
    });
  };
}

/** For each slot the address of the master that serves it at the start. */
async function shardsBySlot(cluster: Cluster): Promise<Map<number, string>> {
  const shards = new Map<number, string>();
  const ranges = await cluster.cluster('SLOTS');
  for (const [start, end, master] of ranges) {
    const [host = '', port = 0] = master ?? [];
    for (let slot = start; slot <= end; slot++) shards.set(slot, `${host}:${port}`);
  }
  return shards;
}

/** As many keys of one shard as are asked for. */
function* keysFor(worker: number, shard: string, shards: ReadonlyMap<number, string>): Generator<Key, never> {
  for (let number = 0; ; number++) {
    const name = `chaos:${process.pid}:${worker}:${number}`;
    if (shards.get(keySlot(name)) !== shard) continue;
    const key: Key = { name, shard, attempted: 0, acknowledged: 0 };
    all.push(key);
    yield key;
  }
}

function noteError(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  errors.set(message, (errors.get(message) ?? 0) + 1);
}

function noteAck(key: Key): void {
  key.acknowledged = key.attempted;
  acknowledged++;
  lastOfAll = lengthenGaps(key.shard);
  lastAck.set(key.shard, lastOfAll);
}

/** The time since the shard's last acknowledged write, and since anybody's, counts: also when no other one follows. */
function lengthenGaps(shard: string): number {
  const now = performance.now();
  if (lastOfAll > 0) longestGap = Math.max(longestGap, now - lastOfAll);
  gaps.set(shard, Math.max(gaps.get(shard) ?? 0, now - (lastAck.get(shard) ?? now)));
  return now;
}

function compare(key: Key, value: string | null, when: string): void {
  if (value !== null && Number(value) >= key.acknowledged) return;
  if (value === null && key.acknowledged === 0) return;
  const text = `${key.name} (slot ${keySlot(key.name)}): ${value ?? 'nothing'} instead of ${key.acknowledged}, ${when}`;
  losses.push({ key: key.name, kind: value === null ? 'missing' : 'stale', text });
}

/** Whether a server refused the command; other errors leave open what becomes of it. */
function isAnswer(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

/**
 * Reads each key before it writes it again: a loss must not be covered up by the next write. A key whose write the
 * client gave up on without a server's answer is not written again, since ioredis sends such a write once more when the
 * connection it was sent on ends, be it long after newer ones; it is only read back at the end.
 */
async function work(cluster: Cluster, source: Generator<Key, never>): Promise<void> {
  const keys = Array.from({ length: keysPerWorker }, () => source.next().value);
  for (let turn = 0; !stopped; turn++) {
    const place = turn % keysPerWorker;
    const key = keys[place];
    if (key === undefined) return;
    try {
      compare(key, await cluster.get(key.name), 'during the run');
      key.attempted++;
      try {
        await cluster.set(key.name, String(key.attempted));
      } catch (error) {
        if (!isAnswer(error)) keys[place] = source.next().value;
        throw error;
      }
      noteAck(key);
    } catch (error) {
      noteError(error);
      await sleep(10);
    }
    await sleep(1);
  }
}

async function readBack(cluster: Cluster, key: Key): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      compare(key, await cluster.get(key.name), 'at the end');
      return;
    } catch (error) {
      if (attempt === 100) throw error;
      await sleep(200);
    }
  }
}

function report(): ChaosReport {
  const count = (kind: 'missing' | 'stale'): number =>
    new Set(losses.filter((loss) => loss.kind === kind).map(({ key }) => key)).size;
  return {
    acknowledged,
    missing: count('missing'),
    stale: count('stale'),
    losses: losses.map(({ text }) => text),
    errors: [...errors].map(([message, times]) => `${times} × ${message}`),
    longestGapMs: Math.round(longestGap),
    perShardLongestGapMs: Object.fromEntries([...gaps].map(([shard, gap]) => [shard, Math.round(gap)])),
    settings,
  };
}

async function main(): Promise<void> {
  const lines = createInterface(process.stdin)[Symbol.asyncIterator]();
  const options = JSON.parse(String((await lines.next()).value)) as ChaosOptions;
  const cluster = connect(options);
  const shards = await shardsBySlot(cluster);
  const names = [...new Set(shards.values())];
  const count = Math.max(options.workers ?? 8, names.length);
  const loops = Array.from({ length: count }, (_, index) =>
    work(cluster, keysFor(index, names[index % names.length] ?? '', shards)),
  );
  while (lastAck.size < names.length) await sleep(5);
  process.stdout.write('ready\n');
  const word = await lines.next();
  stopped = true;
  for (const shard of names) lengthenGaps(shard);
  if (word.done === true) process.exit(1);
  await Promise.all(loops);
  const reader = connect(options);
  for (const key of all) await readBack(reader, key);
  process.stdout.write(`${JSON.stringify(report())}\n`);
  await lines.next();
  process.exit(0);
}

await main();
