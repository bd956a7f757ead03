// Our reshard of a cluster in a real Kubernetes, through port-forwards as the editor makes them, against
// `kubectl exec … redis-cli --cluster reshard` in a pod, in turn on the same cluster with the same keys. On the newest
// Redis, which moves slots itself, and on Redis 7.0, where keys are sent by MIGRATE and round trips count:
// npm run bench -- reshard-kubernetes [keys] [slots] [runs]
import { execFile } from 'node:child_process';
import { mastersOf } from '../src/model/shards.ts';
import type { TestImages } from '../test/support/kubernetes/images.ts';
import { plannedCluster, type PlannedCluster } from '../test/support/plannedCluster.ts';
import { startKubernetes } from '../test/support/startKubernetes.ts';
import { round } from './support/numbers.ts';
import { conclude } from './support/record.ts';
import {
  alternate,
  fillLowest,
  oursOver,
  redisCli,
  valueBytes,
  type BenchCluster,
  type Measured,
} from './support/side.ts';

const [keys = 30_500, slots = 500, runs = 3] = process.argv.slice(2).map(Number);
const name = 'bench';
/** The pod's own redis-cli, which reads the password there: it is in no argument. */
const cliInPod = ['exec', `${name}-0`, '-c', 'redis', '--', 'sh', '/opt/redis-cluster/cli.sh'];

type Results = Readonly<Record<'ours' | 'gentle' | 'rediscli', Measured>>;

async function measure(image: string): Promise<Results> {
  const deployed = await plannedCluster(name, { image });
  try {
    const cluster = await benchCluster(deployed);
    await fillLowest(cluster, slots, keys);
    console.log(`${image}: ${keys} keys of ${valueBytes} bytes in ${slots} slots; medians of ${runs} runs`);
    const ways = {
      ours: oursOver(deployed.runPorts, slots, 'fast'),
      gentle: oursOver(deployed.runPorts, slots, 'gentle'),
      rediscli: redisCli(cluster, slots, 10),
    };
    return await alternate(cluster, ways, { runs });
  } finally {
    await deployed.close();
  }
}

async function benchCluster({ kubernetes, namespace, runPorts }: PlannedCluster): Promise<BenchCluster> {
  const kubectl = await kubernetes.findKubectl();
  const target = ['--kubeconfig', kubernetes.kubeconfig, '--context', kubernetes.context, '-n', namespace];
  const masters = mastersOf(await runPorts.readSnapshot());
  const withSlots = masters.toSorted((a, b) => (a.slots[0]?.[0] ?? 0) - (b.slots[0]?.[0] ?? 0));
  return {
    nodes: withSlots.map(({ id, host, port }) => ({ id, host, port })),
    // Not as localhost: redis-cli would tell the other master to send its keys there.
    addresses: withSlots.map(({ host, port }) => `${host}:${port}`),
    dialer: runPorts.dialer,
    cli: (...args) => run(kubectl, [...target, ...cliInPod, ...args]),
  };
}

/** The output is what the user sees; redis-cli says in it what went wrong. */
async function run(
  program: string,
  args: readonly string[],
): Promise<{ readonly code: number; readonly stdout: string }> {
  const { promise, resolve } = Promise.withResolvers<{ code: number; stdout: string }>();
  execFile(program, args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
    resolve({ code: error === null ? 0 : 1, stdout: stdout + stderr });
  });
  return await promise;
}

const kubernetes = await startKubernetes({ log: (line) => process.stderr.write(`${line}\n`) });
try {
  const versions: readonly (keyof TestImages)[] = ['redisNewest', 'redis7'];
  const results: Results[] = [];
  for (const version of versions) results.push(await measure(kubernetes.images[version]));
  const rows = results.map(({ ours, gentle, rediscli }) => ({
    ours: round(ours.seconds),
    oursGentle: round(gentle.seconds),
    rediscli: round(rediscli.seconds),
    ratio: round(rediscli.seconds / ours.seconds),
    ratioGentle: round(rediscli.seconds / gentle.seconds),
    cpuMsPer1000Keys: round(ours.cpuMs / (keys / 1000)),
  }));
  conclude({
    ratio: Math.min(...rows.map(({ ratio }) => ratio)),
    cpuMsPer1000Keys: Math.max(...rows.map(({ cpuMsPer1000Keys }) => cpuMsPer1000Keys)),
    ...{ newest: rows[0], redis7: rows[1] },
    limits: { newest: results[0]?.ours.load, 'Redis 7.0': results[1]?.ours.load },
    ...{ keys, valueBytes, slots, runs, kubernetes: kubernetes.kind },
  });
} finally {
  await kubernetes.stop();
}
process.exit(0);
