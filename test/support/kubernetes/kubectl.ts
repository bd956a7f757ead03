import { buildKubectl } from './binaries.ts';
import { withBuildLock } from './lock.ts';
import { tryRun } from './run.ts';
import type { Log } from './run.ts';

/** The first that knows kustomize's components. */
const oldestMinor = 21;

/**
 * The kubectl for a test cluster: built with the built one, as Debian 12's is too old; otherwise the machine's own, which
 * whoever has kind or a cluster has too. Throws one line where that is missing or too old.
 */
export async function findKubectl(cluster: 'given' | 'kind' | 'built', log: Log): Promise<string> {
  if (cluster === 'built') return await withBuildLock(log, () => buildKubectl(log));
  const said = await tryRun('kubectl', ['version', '--client', '--output=json']);
  const [, minor] = /"minor": "(\d+)/.exec(said ?? '') ?? [];
  if (Number(minor) >= oldestMinor) return 'kubectl';
  const found = minor === undefined ? 'there is none' : `there is 1.${minor}`;
  throw new Error(`kubectl 1.${oldestMinor} or later is needed on the PATH, ${found}.`);
}
