// Our reshard at the gentle pace against redis-cli's, and what another client of the source feels of either:
// npm run bench -- reshard-gentle [keys] [slots] [runs]
import { startRedisCluster } from '../test/support/startRedisCluster.ts';
import { round } from './support/numbers.ts';
import { conclude } from './support/record.ts';
import { alternate, fillLowest, ours, redisCli, valueBytes } from './support/side.ts';

const [keys = 122_000, slots = 2000, runs = 5] = process.argv.slice(2).map(Number);

const cluster = await startRedisCluster({ config: { 'cluster-node-timeout': '5000' } });
try {
  await fillLowest(cluster, slots, keys);
  console.log(`${keys} keys of ${valueBytes} bytes in ${slots} slots; medians of ${runs} runs`);
  const ways = { ours: ours(cluster, slots, 'gentle'), rediscli: redisCli(cluster, slots, 10) };
  const { ours: own, rediscli } = await alternate(cluster, ways, { runs, watch: true });
  const [p99, rediscliP99] = [own.waits?.p99 ?? Number.NaN, rediscli.waits?.p99 ?? Number.NaN];
  conclude({
    ours: round(own.seconds),
    rediscli: round(rediscli.seconds),
    ratio: round(rediscli.seconds / own.seconds),
    p99Ms: round(p99),
    rediscliP99Ms: round(rediscliP99),
    p99Ratio: round(p99 / rediscliP99),
    longestStallMs: round(own.waits?.longest ?? Number.NaN),
    rediscliLongestStallMs: round(rediscli.waits?.longest ?? Number.NaN),
    cpuMsPer1000Keys: round(own.cpuMs / (keys / 1000)),
    limits: { '': own.load },
    ...{ keys, valueBytes, slots, runs },
  });
} finally {
  await cluster.stop();
}
