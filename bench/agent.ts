/**
 * What the pods' agents cost while a cluster of six is well: CPU milliseconds a second, and memory, of one agent and all
 * that it starts. Beside it, in the same run and on the same servers, the obvious way to do the same: a loop that asks
 * every node with a redis-cli of its own each second.
 *   npm run bench -- agent [seconds]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAll } from '../test/redis/manifests/cluster.ts';
import { simulatePods } from '../test/redis/manifests/simulatedPods.ts';
import { median, round } from './support/numbers.ts';
import { conclude } from './support/record.ts';

const seconds = Number(process.argv[2] ?? 60);
const pods = 6;
/** Samples of memory a second: a redis-cli lives for a few milliseconds only, so most samples see the shell alone. */
const samplesPerSecond = 20;
const ticksPerSecond = 100;

interface Cost {
  readonly cpuMsPerSecond: number;
  readonly rssMb: number;
  readonly peakRssMb: number;
}

/** User and system time of a process and of all children that it has waited for, in milliseconds (proc(5), stat). */
function cpuMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * 1000) / ticksPerSecond;
}

/** Resident memory of a process and everything below it, in MB; pages that they share count for each. */
function rssMb(pid: number): number {
  try {
    const own = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return children.reduce((sum, child) => sum + (child === '' ? 0 : rssMb(Number(child))), own);
  } catch {
    return 0; // It ended meanwhile.
  }
}

async function watch(pids: readonly number[]): Promise<Cost> {
  const before = pids.map(cpuMs);
  const samples: number[] = [];
  const started = performance.now();
  for (let elapsed = 0; elapsed < seconds * 1000; elapsed = performance.now() - started) {
    for (const pid of pids) samples.push(rssMb(pid));
    await sleep(1000 / samplesPerSecond);
  }
  const took = (performance.now() - started) / 1000;
  const costs = pids.map((pid, index) => (cpuMs(pid) - (before[index] ?? 0)) / took);
  return {
    cpuMsPerSecond: round(median(costs)),
    rssMb: round(median(samples)),
    peakRssMb: round(Math.max(...samples)),
  };
}

function pingLoop(addresses: readonly string[], port: number): ChildProcess {
  const pings = addresses.map((address) => `redis-cli -h ${address} -p ${port} PING >/dev/null`).join('; ');
  return spawn('sh', ['-c', `while :; do ${pings}; sleep 1; done`], { stdio: 'ignore' });
}

const cluster = await simulatePods();
const loops: ChildProcess[] = [];
try {
  await startAll(cluster, 0, pods);
  console.log(`${pods} pods are ready after ${(await cluster.allReady(120)).toFixed(1)} s`);
  await sleep(15_000); // Until every agent is at its slow pace.
  const ours = await watch(cluster.agents());
  console.log(`our agent: ${JSON.stringify(ours)}`);
  const addresses = Array.from({ length: pods }, (_, i) => `${cluster.net.network}.${i + 1}`);
  loops.push(...addresses.map(() => pingLoop(addresses, cluster.net.port)));
  const theirs = await watch(loops.flatMap(({ pid }) => pid ?? []));
  console.log(`a redis-cli a node and second: ${JSON.stringify(theirs)}`);
  conclude({
    ours: ours.cpuMsPerSecond,
    theirs: theirs.cpuMsPerSecond,
    ratio: round(theirs.cpuMsPerSecond / ours.cpuMsPerSecond),
    unit: 'CPU ms a second',
    rssMb: ours.rssMb,
    peakRssMb: ours.peakRssMb,
    ...{ pods, seconds },
  });
} finally {
  for (const loop of loops) loop.kill();
  await cluster.dispose();
}
