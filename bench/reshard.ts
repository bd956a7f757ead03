// Our reshard at full speed against redis-cli's, in turn on one cluster of Redis 7.0:
// npm run bench -- reshard [keys] [slots] [runs]
import { startRedisCluster } from '../test/support/startRedisCluster.ts';
import { round } from './support/numbers.ts';
import { conclude } from './support/record.ts';
import { alternate, fillLowest, ours, redisCli, valueBytes } from './support/side.ts';

const [keys = 122_000, slots = 2000, runs = 5] = process.argv.slice(2).map(Number);

const cluster = await startRedisCluster({ config: { 'cluster-node-timeout': '5000' } });
try {
  await fillLowest(cluster, slots, keys);
  console.log(`${keys} keys of ${valueBytes} bytes in ${slots} slots; medians of ${runs} runs`);
  const result = await alternate(
    cluster,
    {
      ours: ours(cluster, slots, 'fast'),
      rediscli: redisCli(cluster, slots, 10),
      rediscliPipeline100: redisCli(cluster, slots, 100),
    },
    { runs, watch: true },
  );
  const { ours: own, rediscli, rediscliPipeline100 } = result;
  conclude({
    ours: round(own.seconds),
    rediscli: round(rediscli.seconds),
    ratio: round(rediscli.seconds / own.seconds),
    rediscliPipeline100: round(rediscliPipeline100.seconds),
    ratioPipeline100: round(rediscliPipeline100.seconds / own.seconds),
    longestStallMs: round(own.waits?.longest ?? Number.NaN),
    rediscliLongestStallMs: round(rediscli.waits?.longest ?? Number.NaN),
    cpuMsPer1000Keys: round(own.cpuMs / (keys / 1000)),
    limits: { '': own.load },
    ...{ keys, valueBytes, slots, runs },
  });
} finally {
  await cluster.stop();
}
