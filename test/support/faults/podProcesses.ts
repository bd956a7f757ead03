import { findProcesses } from '../kubernetes/processes.ts';

/** A pod by what finds its processes and packets on this machine. */
export interface FaultyPod {
  readonly name: string;
  readonly uid: string;
  readonly ip: string;
}

/** A process that is stopped (SIGSTOP), and lives on when it is thawed. */
export interface FrozenProcess {
  /** Lets it go on; does nothing where it has ended meanwhile. */
  thaw(): void;
}

/**
 * Why processes and networks of the pods are out of reach, or undefined where they are within: only the Kubernetes that
 * is built from source runs its pods as processes of this machine.
 */
export function whyNoFaults(kind: 'given' | 'kind' | 'built'): string | undefined {
  if (kind === 'built') return undefined;
  return `it needs the Kubernetes that the tests build themselves, since it harms machines (this one is ${kind})`;
}

/** The process ids of a pod's program, e.g. `redis-server`. Servers put more behind it into their title. */
export async function processesOf(pod: FaultyPod, program: string): Promise<readonly number[]> {
  return findProcesses(
    ({ command, cgroups }) =>
      cgroups.includes(`/pod${pod.uid}/`) && (command[0] ?? '').split(' ')[0]?.split('/').at(-1) === program,
  );
}

/** Sends a signal to a pod's program. Throws where the pod runs none. */
export async function killProcess(pod: FaultyPod, program: string, signal: NodeJS.Signals): Promise<void> {
  for (const pid of await oneOrMore(pod, program)) process.kill(pid, signal);
}

/** Stops a pod's program as a machine does that hangs: it keeps its connections and answers nobody. */
export async function freezeProcess(pod: FaultyPod, program: string): Promise<FrozenProcess> {
  const pids = await oneOrMore(pod, program);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  return {
    thaw: () => {
      for (const pid of pids) {
        try {
          process.kill(pid, 'SIGCONT');
        } catch {
          // It has ended meanwhile.
        }
      }
    },
  };
}

async function oneOrMore(pod: FaultyPod, program: string): Promise<readonly number[]> {
  const pids = await processesOf(pod, program);
  if (pids.length === 0) throw new Error(`Pod ${pod.name} runs no ${program}.`);
  return pids;
}
