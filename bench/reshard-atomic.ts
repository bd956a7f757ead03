// Our reshard by the servers' own slot migration against redis-cli and valkey-cli of the same version:
// npm run bench -- reshard-atomic [keys] [slots] [runs]
import type { ServerVersion } from '../test/support/serverVersions.ts';
import { startRedisCluster } from '../test/support/startRedisCluster.ts';
import { round } from './support/numbers.ts';
import { conclude } from './support/record.ts';
import {
  alternate,
  fillLowest,
  ours,
  redisCli,
  valueBytes,
  type Measured,
  type Way,
} from './support/side.ts';

const [keys = 122_000, slots = 2000, runs = 3] = process.argv.slice(2).map(Number);

async function measure(version: ServerVersion): Promise<Readonly<Record<string, Measured>>> {
  const cluster = await startRedisCluster({ version, config: { 'cluster-node-timeout': '5000' } });
  try {
    await fillLowest(cluster, slots, keys);
    console.log(`${version}: ${keys} keys of ${valueBytes} bytes in ${slots} slots; medians of ${runs} runs`);
    const ways: Record<string, Way> = {
      ours: ours(cluster, slots, 'fast'),
      cli: redisCli(cluster, slots, 10),
    };
    if (version === 'valkeyNewest')
      ways['cliAtomic'] = redisCli(cluster, slots, 10, '--cluster-use-atomic-slot-migration');
    return await alternate(cluster, ways, { runs, watch: true });
  } finally {
    await cluster.stop();
  }
}

function ratio(result: Readonly<Record<string, Measured>>, other: string): number {
  return round((result[other]?.seconds ?? Number.NaN) / (result['ours']?.seconds ?? Number.NaN));
}

const redis = await measure('redisNewest');
const valkey = await measure('valkeyNewest');
const own = [redis['ours'], valkey['ours']];
conclude({
  redis: round(own[0]?.seconds ?? Number.NaN),
  valkey: round(own[1]?.seconds ?? Number.NaN),
  ratio: Math.min(ratio(redis, 'cli'), ratio(valkey, 'cli')),
  ratioRedis: ratio(redis, 'cli'),
  ratioValkey: ratio(valkey, 'cli'),
  ratioValkeyCliAtomic: ratio(valkey, 'cliAtomic'),
  longestStallMs: round(Math.max(...own.map((one) => one?.waits?.longest ?? Number.NaN))),
  cpuMsPer1000Keys: round(Math.max(...own.map((one) => one?.cpuMs ?? Number.NaN)) / (keys / 1000)),
  limits: { Redis: redis['ours']?.load, Valkey: valkey['ours']?.load },
  ...{ keys, valueBytes, slots, runs },
});
