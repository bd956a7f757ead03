import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cgroupName } from './layout.ts';

/** The mount points of all control group hierarchies: one in version 2, one for each controller in version 1, or both. */
export async function cgroupHierarchies(): Promise<readonly string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  const mounts = lines.map((line) => ({ point: line.split(' ')[4] ?? '', type: / - (\S+)/.exec(line)?.[1] }));
  return mounts.filter(({ type }) => type === 'cgroup' || type === 'cgroup2').map(({ point }) => point);
}

/** Makes the cgroup below which a worker's kubelet keeps its pods. Kubelet expects it in every hierarchy. */
export async function addWorkerCgroup(worker: string): Promise<void> {
  for (const hierarchy of await cgroupHierarchies())
    for (const part of [cgroupName, join(cgroupName, worker)]) {
      const folder = join(hierarchy, part);
      await mkdir(folder, { recursive: true });
      await inherit(join(folder, '..'), folder);
    }
}

async function inherit(parent: string, folder: string): Promise<void> {
  // Version 1: a new cpuset is empty, and processes cannot enter it.
  for (const file of ['cpuset.cpus', 'cpuset.mems'])
    if (existsSync(join(parent, file)) && !existsSync(join(parent, 'cgroup.controllers')))
      await writeFile(join(folder, file), await readFile(join(parent, file), 'utf8'));
  // Version 2: a controller has to be passed on by the parent.
  if (!existsSync(join(parent, 'cgroup.controllers'))) return;
  const controllers = (await readFile(join(parent, 'cgroup.controllers'), 'utf8')).trim().split(' ');
  const all = controllers.filter((name) => name !== '').map((name) => `+${name}`);
  if (all.length > 0) await writeFile(join(parent, 'cgroup.subtree_control'), all.join(' '));
}
