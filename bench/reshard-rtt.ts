// Our reshard against redis-cli's where the servers are 20 ms away, and near each other. Both run in a network
// namespace of their own, in which a proxy stands on the servers' addresses; it needs Linux and root:
// npm run bench -- reshard-rtt [keys] [slots] [runs] [round trip in ms]
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Worker } from 'node:worker_threads';
import { connectNode } from '../src/redis/connect.ts';
import { startRedisCluster, type TestCluster } from '../test/support/startRedisCluster.ts';
import type { ProxyRoutes } from './support/delayProxy.ts';
import { round } from './support/numbers.ts';
import { conclude } from './support/record.ts';
import { alternate, fillLowest, ours, redisCli, valueBytes } from './support/side.ts';

const [keys = 30_500, slots = 500, runs = 3, roundTripMs = 20] = process.argv
  .slice(2)
  .filter((word) => word !== '--inside')
  .map(Number);

interface Far {
  readonly nodes: TestCluster['nodes'];
  readonly paths: readonly string[];
}

/** Starts the servers, and this file again in a namespace where they are far away. */
async function outside(): Promise<void> {
  const config = { 'cluster-node-timeout': '5000', unixsocket: 'far' };
  const cluster = await startRedisCluster({ config });
  try {
    await fillLowest(cluster, slots, keys);
    const paths = await Promise.all(
      cluster.nodes.map(async ({ id }) => {
        const connection = await cluster.dialer.dial(id);
        const reply = await connection.call('CONFIG', 'GET', 'dir');
        connection.close();
        return join(String(Array.isArray(reply) ? reply[1] : ''), 'far');
      }),
    );
    const far: Far = { nodes: cluster.nodes, paths };
    const again = [process.execPath, import.meta.filename, ...process.argv.slice(2), '--inside'];
    const inside = spawn('unshare', ['--net', '--', ...again], { stdio: ['pipe', 'inherit', 'inherit'] });
    inside.stdin.end(JSON.stringify(far));
    const [code] = (await once(inside, 'exit')) as [number | null];
    if (code !== 0) process.exitCode = 1;
  } finally {
    await cluster.stop();
  }
}

async function inside(): Promise<void> {
  const { nodes, paths } = JSON.parse(await text(process.stdin)) as Far;
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  const routes = nodes.map(({ host, port }, index) => ({ host, port, path: paths[index] ?? '' }));
  const workerData: ProxyRoutes = { delayMs: roundTripMs / 2, routes };
  const proxy = new Worker(join(import.meta.dirname, 'support/delayProxy.ts'), { workerData });
  await once(proxy, 'message');
  const cluster = farCluster(nodes);
  console.log(`${keys} keys of ${valueBytes} bytes in ${slots} slots, ${roundTripMs} ms away`);
  const result = await alternate(
    cluster,
    {
      ours: ours(cluster, slots, 'fast'),
      rediscli: redisCli(cluster, slots, 10),
      oursAgain: ours(cluster, slots, 'fast'),
      rediscliPipeline100: redisCli(cluster, slots, 100),
    },
    { runs },
  );
  const seconds = (result.ours.seconds + result.oursAgain.seconds) / 2;
  conclude({
    ours: round(seconds),
    rediscli: round(result.rediscli.seconds),
    ratio: round(result.rediscli.seconds / seconds),
    rediscliPipeline100: round(result.rediscliPipeline100.seconds),
    ratioPipeline100: round(result.rediscliPipeline100.seconds / seconds),
    cpuMsPer1000Keys: round(result.ours.cpuMs / (keys / 1000)),
    limits: { '': result.ours.load },
    ...{ keys, valueBytes, slots, runs, roundTripMs },
  });
  await proxy.terminate();
  process.exit(0);
}

/** The cluster as it is seen from where it is far away. */
function farCluster(nodes: TestCluster['nodes']): TestCluster {
  const times = { connectTimeoutMs: 10_000, commandTimeoutMs: 30_000 };
  const unsupported = (): never => {
    throw new Error('servers are started and stopped where they are near');
  };
  return {
    nodes,
    addresses: nodes.map(({ host, port }) => `${host}:${port}`),
    dialer: {
      credentials: {},
      dial: async (id) => {
        const node = nodes.find((candidate) => candidate.id === id);
        if (node === undefined) throw new Error(`unknown node ${id}`);
        return await connectNode(node, {}, times);
      },
    },
    cli: redisCliHere,
    kill: unsupported,
    restart: unsupported,
    stop: unsupported,
  };
}

async function redisCliHere(...args: readonly string[]): Promise<{ code: number; stdout: string }> {
  const { promise, resolve } = Promise.withResolvers<{ code: number; stdout: string }>();
  const options = { env: { ...process.env, TERM: 'dumb' }, maxBuffer: 64 * 1024 * 1024 };
  execFile('redis-cli', args, options, (error, stdout) => {
    resolve({ code: error === null ? 0 : 1, stdout });
  });
  return await promise;
}

await (process.argv.includes('--inside') ? inside() : outside());
