import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ClusterNode, TestCluster } from '../startRedisCluster.ts';
import { withNode } from './moveFixture.ts';

/** Stops and continues the processes in turn; lets them run when its parent is done with it or has died. */
const script = `
const [pids, runMs, stopMs] = JSON.parse(process.argv[1]);
const all = (signal) => { for (const pid of pids) try { process.kill(pid, signal); } catch {} };
const turn = (isRunning) => {
  all(isRunning ? 'SIGSTOP' : 'SIGCONT');
  setTimeout(turn, isRunning ? stopMs : runMs, !isRunning);
};
process.on('disconnect', () => { all('SIGCONT'); process.exit(); });
turn(true);
process.send('begun');
`;

/** Makes servers slow: they run only so many of each few milliseconds. Returns what ends it. */
export async function slowDown(
  cluster: TestCluster,
  nodes: readonly ClusterNode[],
  { runMs, stopMs }: { readonly runMs: number; readonly stopMs: number },
): Promise<() => Promise<void>> {
  const pids = await Promise.all(
    nodes.map((node) =>
      withNode(cluster, node, async (connection) => {
        const info = String(await connection.call('INFO', 'server'));
        return Number(/process_id:(\d+)/.exec(info)?.[1]);
      }),
    ),
  );
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
  const child = spawn(process.execPath, ['-e', script, JSON.stringify([pids, runMs, stopMs])], {
    stdio: [...stdio],
  });
  await once(child, 'message');
  return async () => {
    const ended = once(child, 'exit');
    child.disconnect();
    await ended;
  };
}
