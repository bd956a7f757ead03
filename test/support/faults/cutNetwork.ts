import { findProcesses } from '../kubernetes/processes.ts';
import { run, tryRun } from '../kubernetes/run.ts';
import type { FaultyPod } from './podProcesses.ts';

/** A network that is cut for now. */
export interface CutNetwork {
  /** Lets packets pass again; pods that have gone meanwhile took their part of the cut with them. */
  heal(): Promise<void>;
}

const table = 'redis_cluster_cut';

/**
 * Drops every packet between two sets of pods, those of connections that exist too, by rules within the first set's
 * network namespaces. This machine, and whoever else is not named, still reaches all of them.
 */
export async function cutNetwork(
  side: readonly FaultyPod[],
  other: readonly FaultyPod[],
): Promise<CutNetwork> {
  const cut: number[] = [];
  const heal = async (): Promise<void> => {
    await Promise.all(
      cut.splice(0).map((pid) => tryRun(...inNetworkOf(pid, ['delete', 'table', 'ip', table]))),
    );
  };
  const addresses = other.map(({ ip }) => ip).join(', ');
  const rules = `table ip ${table} {
  chain in { type filter hook input priority 0; ip saddr { ${addresses} } drop; }
  chain out { type filter hook output priority 0; ip daddr { ${addresses} } drop; }
}`;
  try {
    for (const pod of side) {
      const pid = await sandboxOf(pod);
      cut.push(pid);
      await run(...inNetworkOf(pid, [rules]));
    }
    return { heal };
  } catch (error) {
    await heal();
    throw error;
  }
}

function inNetworkOf(pid: number, nft: readonly string[]): [string, readonly string[]] {
  return ['nsenter', ['--target', String(pid), '--net', 'nft', ...nft]];
}

/** The process that holds a pod's network for as long as the pod is there, whatever becomes of its containers. */
async function sandboxOf(pod: FaultyPod): Promise<number> {
  const [pid] = await findProcesses(
    ({ command, cgroups }) => cgroups.includes(`/pod${pod.uid}/`) && command[0] === '/pause',
  );
  if (pid === undefined) throw new Error(`Pod ${pod.name} runs nothing on this machine.`);
  return pid;
}
