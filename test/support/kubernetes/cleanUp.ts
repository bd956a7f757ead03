import { existsSync } from 'node:fs';
import { readFile, readdir, readlink, rm, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  bridge,
  cgroupName,
  dnsAddress,
  podNetworkName,
  runFolder,
  runMark,
  socketFolder,
} from './layout.ts';
import { cgroupHierarchies } from './cgroups.ts';
import { killProcesses } from './processes.ts';
import { run, tryRun } from './run.ts';

/**
 * Removes all that the built cluster may have left on this machine, however it ended: processes, mounts, network and
 * files. Finds everything by name and place rather than from notes of what was started, which a crash would lose.
 */
export async function cleanUp(): Promise<void> {
  await killProcesses(
    ({ environment, cgroups }) => environment.includes(runMark) || cgroups.includes(`:/${cgroupName}/`),
  );
  await unmountAll();
  await tryRun('ip', ['link', 'delete', bridge]);
  await tryRun('ip', ['address', 'delete', `${dnsAddress}/32`, 'dev', 'lo']);
  for (const family of ['ip', 'ip6']) await tryRun('nft', ['delete', 'table', family, 'kube-proxy']);
  for (const hierarchy of await cgroupHierarchies()) await removeCgroup(join(hierarchy, cgroupName));
  await removeStrayFiles();
  for (const folder of [runFolder, socketFolder]) await rm(folder, { recursive: true, force: true });
}

/** What kubelet and the network plugins keep in places that cannot be chosen: links to logs, records of addresses. */
async function removeStrayFiles(): Promise<void> {
  for (const link of await list('/var/log/containers')) {
    const target = await readlink(link).catch(() => '');
    if (target.startsWith(`${runFolder}/`)) await rm(link);
  }
  for (const record of await list('/var/lib/cni/results'))
    if (basename(record).startsWith(`${podNetworkName}-`)) await rm(record);
}

async function list(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  return (await readdir(folder)).map((name) => join(folder, name));
}

/** Kubelet, containerd and CNI mount within the run folder only; the newest mount is on top and goes first. */
async function unmountAll(): Promise<void> {
  const points = await mountPoints();
  for (const point of points.reverse()) await tryRun('umount', ['--lazy', point]);
  const left = await mountPoints();
  if (left.length > 0) throw new Error(`These mounts of the test cluster remain: ${left.join(', ')}.`);
}

async function mountPoints(): Promise<string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return lines.map((line) => line.split(' ')[4] ?? '').filter((point) => point.startsWith(`${runFolder}/`));
}

async function removeCgroup(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries) if (entry.isDirectory()) await removeCgroup(join(folder, entry.name));
  // The kernel needs a moment after a cgroup's last process has ended.
  for (let attempt = 0; ; attempt += 1) {
    try {
      await rmdir(folder);
      return;
    } catch (error) {
      if (attempt === 40) throw error;
      await delay(50);
    }
  }
}

/** Gives the machine the bridge and the addresses that pods and DNS use. */
export async function addNetwork(addresses: readonly string[]): Promise<void> {
  // Without one of its own a bridge has the lowest address of its ports: it changes as pods come and go, and what pods
  // send to this machine (DNS, the API) is lost for half a minute.
  await run('ip', ['link', 'add', bridge, 'address', '02:00:0a:d5:00:01', 'type', 'bridge']);
  await run('ip', ['link', 'set', bridge, 'up']);
  for (const address of addresses) await run('ip', ['address', 'add', `${address}/16`, 'dev', bridge]);
  await run('ip', ['address', 'add', `${dnsAddress}/32`, 'dev', 'lo']);
}
