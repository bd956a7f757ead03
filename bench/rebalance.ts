// Our rebalance of three masters to six, all pairs at once, against redis-cli's:
// npm run bench -- rebalance [keys] [runs]
import { planRebalance, type RebalanceRequest } from '../src/operations/rebalance.ts';
import { runPlan } from '../src/operations/run/runPlan.ts';
import { meet } from '../src/redis/admin.ts';
import { fill, type Write } from '../test/support/redis/fill.ts';
import { readSnapshot } from '../test/support/redis/readSnapshot.ts';
import { runPorts } from '../test/support/redis/runPorts.ts';
import { startRedisCluster, type TestCluster } from '../test/support/startRedisCluster.ts';
import { medianLoad, startLoad, type Load } from './support/load.ts';
import { median, round } from './support/numbers.ts';
import { conclude } from './support/record.ts';
import { Requests } from './support/requests.ts';
import { settle, valueBytes } from './support/side.ts';

const [keys = 300_000, runs = 3] = process.argv.slice(2).map(Number);

function* writes(): Generator<Write> {
  const value = Buffer.alloc(valueBytes, 'x');
  for (let number = 0; number < keys; number++) yield ['SET', Buffer.from(`key:${number}`), value];
}

/** The spares become masters without slots. */
async function join({ nodes, dialer }: TestCluster): Promise<void> {
  for (const node of nodes.slice(-3)) {
    for (const { id } of nodes) {
      if (id === node.id) continue;
      const connection = await dialer.dial(id);
      await meet(connection, node);
      connection.close();
    }
  }
}

async function untilServing(cluster: TestCluster): Promise<void> {
  for (;;) {
    const { nodes } = await readSnapshot(cluster);
    const knowsAll = nodes.every(({ view }) => view?.others.length === cluster.nodes.length - 1);
    if (knowsAll && nodes.every(({ view }) => view?.clusterState === 'ok')) break;
    await new Promise((resolve) => {
      setTimeout(resolve, 200);
    });
  }
  await settle(cluster);
}

interface Done {
  readonly movedKeys: number;
  readonly requests?: Requests;
}

async function rebalance(cluster: TestCluster, request: RebalanceRequest): Promise<Done> {
  const requests = new Requests();
  const plan = planRebalance(await readSnapshot(cluster), { pace: 'fast', ...request });
  const dialer = requests.over(cluster.dialer);
  const { movedKeys } = await runPlan(plan, runPorts(cluster, { dialer }));
  return { movedKeys, requests };
}

async function byRedisCli(cluster: TestCluster): Promise<Done> {
  const { code, stdout } = await cluster.cli(
    ...['--cluster', 'rebalance', cluster.addresses[0] ?? '', '--cluster-use-empty-masters'],
  );
  if (code !== 0) throw new Error(`redis-cli ended with ${code}: ${stdout.slice(-500)}`);
  return { movedKeys: Number.NaN };
}

const cluster = await startRedisCluster({ spares: 3, config: { 'cluster-node-timeout': '5000' } });
try {
  await join(cluster);
  await untilServing(cluster);
  await fill(cluster, writes());
  const weights = Object.fromEntries(cluster.nodes.slice(-3).map(({ id }) => [id, 0]));
  const ways = {
    ours: () => rebalance(cluster, { useEmptyMasters: true }),
    rediscli: () => byRedisCli(cluster),
  };
  const times: Record<keyof typeof ways, number[]> = { ours: [], rediscli: [] };
  const loads: Load[] = [];
  let moved = 0;
  for (let run = 1; run <= runs; run++) {
    for (const name of ['ours', 'rediscli'] as const) {
      await settle(cluster);
      const end = await startLoad(cluster);
      const { movedKeys, requests } = await ways[name]();
      const load = await end(requests);
      const { seconds } = load;
      if (name === 'ours') {
        loads.push(load);
        moved = movedKeys;
      }
      times[name].push(seconds);
      console.log(`run ${run}: ${name} ${seconds.toFixed(2)} s`);
      await settle(cluster);
      await rebalance(cluster, { weights });
    }
  }
  const load = medianLoad(loads);
  const [own, rediscli] = [median(times.ours), median(times.rediscli)];
  conclude({
    ...{ ours: round(own), rediscli: round(rediscli), ratio: round(rediscli / own) },
    cpuMsPer1000Keys: round((load.serverCpuMs + load.ownCpuMs) / (moved / 1000)),
    limits: { '': load },
    ...{ keys, movedKeys: moved, valueBytes, runs },
  });
} finally {
  await cluster.stop();
}
