import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { cgroupName, workers } from './layout.ts';

/** The mount points of all control group hierarchies: one in version 2, one for each controller in version 1, or both. */
export async function cgroupHierarchies(): Promise<readonly string[]> {
  return (await mounts()).map(({ point }) => point);
}

async function mounts(): Promise<readonly { readonly point: string; readonly type: string }[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return lines
    .map((line) => ({ point: line.split(' ')[4] ?? '', type: / - (\S+)/.exec(line)?.[1] ?? '' }))
    .filter(({ type }) => type === 'cgroup' || type === 'cgroup2');
}

/** Makes the cgroup below which a worker's kubelet keeps its pods. Kubelet expects it in every hierarchy. */
export async function addWorkerCgroup(worker: string): Promise<void> {
  const all = await mounts();
  // Beside version 1, version 2 has no controllers that pods need.
  const mixed = all.some(({ type }) => type === 'cgroup');
  for (const { point, type } of all)
    for (const part of [cgroupName, join(cgroupName, worker)]) {
      const folder = join(point, part);
      const parent = join(folder, '..');
      await mkdir(folder, { recursive: true });
      if (type === 'cgroup') await copyCpuset(parent, folder);
      else if (!mixed) await passControllers(parent);
      await weigh(folder, part === cgroupName ? workers.length : 1);
    }
}

/**
 * A worker's pods weigh as much as all its cores do, as kubelet sees to at the root of a machine of its own. A cgroup
 * that nobody weighs has the share of one program, and kubelets, containerd and the control plane are many.
 */
async function weigh(folder: string, machines: number): Promise<void> {
  const cores = Math.min(100, availableParallelism() * machines);
  for (const [file, ofOne] of [
    ['cpu.shares', 1024],
    ['cpu.weight', 100],
  ] as const)
    if (existsSync(join(folder, file))) await writeFile(join(folder, file), String(cores * ofOne));
}

/** Version 1: a new cpuset is empty, and processes cannot enter it. */
async function copyCpuset(parent: string, folder: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems'])
    if (existsSync(join(parent, file)))
      await writeFile(join(folder, file), await readFile(join(parent, file), 'utf8'));
}

/** Version 2: a cgroup has the controllers that its parent passes on. */
async function passControllers(parent: string): Promise<void> {
  const controllers = (await readFile(join(parent, 'cgroup.controllers'), 'utf8')).trim().split(' ');
  const wanted = controllers.map((name) => `+${name}`).join(' ');
  try {
    await writeFile(join(parent, 'cgroup.subtree_control'), wanted);
  } catch {
    // Below a container's root, a cgroup that passes on controllers may hold no processes itself.
    const own = join(parent, 'others');
    await mkdir(own, { recursive: true });
    const pids = (await readFile(join(parent, 'cgroup.procs'), 'utf8')).trim().split('\n');
    // One that has ended meanwhile cannot be moved, nor one outside the container, which reads as 0.
    for (const pid of pids) await writeFile(join(own, 'cgroup.procs'), pid).catch(() => undefined);
    await writeFile(join(parent, 'cgroup.subtree_control'), wanted);
  }
}
