import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Component } from './component.ts';
import { cgroupName } from './layout.ts';
import type { Worker } from './layout.ts';
import { killProcesses } from './processes.ts';
import { tryRun } from './run.ts';

/** A running worker, which can be lost and come back as a machine does whose power fails. */
export interface HeldWorker {
  readonly name: string;
  /** Ends kubelet, containerd and all containers at once, without a packet that tells their peers. */
  lose(): Promise<void>;
  /** Starts kubelet and containerd again; they start what pods are still meant to be there. */
  restore(): Promise<void>;
}

/** Makes a worker of its two programs and of where its containerd listens. */
export function holdWorker(worker: Worker, components: readonly Component[], socket: string): HeldWorker {
  return {
    name: worker.name,
    lose: async () => {
      // First the network: the kernel would close the dying processes' connections in an orderly way.
      await unplugPods(worker);
      await Promise.all(components.map((component) => component.stop()));
      const cgroup = `:/${cgroupName}/${worker.name}/`;
      await killProcesses(({ command, cgroups }) => cgroups.includes(cgroup) || command.includes(socket));
    },
    restore: () => {
      for (const component of components) component.start();
      return Promise.resolve();
    },
  };
}

/** Takes down this machine's end of every pod's network on that worker. */
async function unplugPods({ folder }: Worker): Promise<void> {
  const namespaces = join(folder, 'state/io.containerd.grpc.v1.cri/netns');
  if (!existsSync(namespaces)) return;
  for (const name of await readdir(namespaces)) {
    const net = `--net=${join(namespaces, name)}`;
    const links = await tryRun('nsenter', [net, 'ip', '-o', 'link', 'show', 'type', 'veth']);
    for (const [, index = ''] of (links ?? '').matchAll(/@if(\d+):/g)) {
      const link = await tryRun('sh', ['-c', `ip -o link show | sed -n 's/^${index}: \\([^@]*\\)@.*/\\1/p'`]);
      if (link !== undefined && link.trim() !== '') await tryRun('ip', ['link', 'set', link.trim(), 'down']);
    }
  }
}
