import { readFile, readdir, readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** What tells one process of this machine from another. */
export interface ProcessFacts {
  readonly command: readonly string[];
  readonly environment: readonly string[];
  /** The lines of /proc/PID/cgroup. */
  readonly cgroups: string;
}

/** Kills every such process of this machine, and those that they start meanwhile, and waits until they are gone. */
export async function killProcesses(isMeant: (facts: ProcessFacts) => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  for (;;) {
    const pids = await findProcesses(isMeant);
    if (pids.length === 0) return;
    if (Date.now() > end) throw new Error(`Processes of the test cluster do not end: ${pids.join(', ')}.`);
    for (const pid of pids) kill(pid);
    await delay(50);
  }
}

/** The ids of all such processes except this one. */
export async function findProcesses(isMeant: (facts: ProcessFacts) => boolean): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const facts = pid === process.pid ? undefined : await readFacts(pid);
      return facts !== undefined && isMeant(facts) ? [pid] : [];
    }),
  );
  return found.flat();
}

async function readFacts(pid: number): Promise<ProcessFacts | undefined> {
  try {
    const [command, environment, cgroups] = await Promise.all(
      ['cmdline', 'environ', 'cgroup'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8')),
    );
    // A process that has ended but is not yet reaped has no program, and cannot be killed again.
    await readlink(`/proc/${pid}/exe`);
    if (command === undefined || environment === undefined || cgroups === undefined) return undefined;
    return { command: command.split('\0'), environment: environment.split('\0'), cgroups };
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
