import { UserError } from '../../model/errors.ts';
import { answers, nameOf } from '../nodes.ts';
import { replicable } from '../replicate/refusals.ts';
import type { StepPorts } from './ports.ts';
import type { StepRun } from './step.ts';
import { withConnection } from '../withConnection.ts';

/** Milliseconds without any progress after which a copy counts as stuck. */
const stuckAfter = 120_000;
const pollEvery = 100;

/** Makes a node a replica, and waits until it has the whole copy. */
export const replicate: StepRun<'replicate'> = {
  isDone: ({ node, master }, snapshot) => {
    const own = snapshot.nodes.find(({ id }) => id === node);
    if (!answers(own)) return false;
    if (own.role === 'replica') return own.masterId === master && isCopied(own.view);
    // It has taken that master's place since: what was to come of it has come.
    const old = snapshot.nodes.find(({ id }) => id === master);
    return own.slots.length > 0 && (old === undefined || old.masterId === node);
  },
  check: ({ node, master }, snapshot) => {
    replicable(snapshot, node, master);
  },
  act: async ({ node, master }, ports) => {
    await withConnection(ports, node, async (connection) => {
      const { self } = await ports.redis.readNodeView(connection);
      if (self.masterId !== master) await ports.redis.replicate(connection, master);
    });
    await untilCopied(node, master, ports);
  },
};

function isCopied(view: {
  readonly replication: { readonly linkUp?: boolean };
  readonly loading: boolean;
}): boolean {
  return view.replication.linkUp === true && !view.loading;
}

/** A copy of many gigabytes takes long, and it is safe to stop waiting: the server goes on by itself. */
async function untilCopied(node: string, master: string, ports: StepPorts): Promise<void> {
  const { redis, now, delay, signal, report, snapshot } = ports;
  let last = '';
  let movedAt = now();
  await withConnection(ports, node, async (connection) => {
    while (!signal.aborted) {
      const view = await redis.readNodeView(connection);
      if (view.self.masterId === master && isCopied(view)) return;
      const state = `${view.replication.offset} ${view.usedMemoryBytes} ${view.loading}`;
      if (state !== last) movedAt = now();
      last = state;
      if (now() - movedAt > stuckAfter) {
        throw new UserError(
          'failed',
          `${nameOf(snapshot, node)} follows ${nameOf(snapshot, master)} but has copied nothing for ${stuckAfter / 1000} s. It goes on trying; look at the logs of both.`,
        );
      }
      report({ text: `${nameOf(snapshot, node)}: copying from ${nameOf(snapshot, master)}` });
      await delay(pollEvery, signal);
    }
  });
}
