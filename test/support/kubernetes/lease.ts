import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from './run.ts';
import { stopRequest, supervisorAddress } from './supervisor.ts';
import type { Answer, HeldCluster, Message } from './supervisor.ts';

/** A share in the cluster that the supervisor holds; the cluster goes when the last share is released. */
export interface Lease {
  readonly cluster: HeldCluster;
  /** Settles when the cluster is gone, also when that was not by this lease. */
  readonly ended: Promise<void>;
  readonly release: () => void;
}

/** See `takeWorkers`. */
export interface WorkerLease {
  /** Asks `lose worker-1` or `restore worker-1`, one at a time, and waits until it is done. */
  readonly ask: (request: string) => Promise<void>;
  readonly close: () => void;
}

/** Takes a share in the running cluster, or starts the supervisor that makes it. */
export async function takeLease(log: Log): Promise<Lease> {
  for (;;) {
    const lease = await tryLease(log);
    if (lease !== undefined) return lease;
    // The supervisor was on its way out when we came.
    await delay(200);
  }
}

/** Has a running cluster removed, whoever uses it, and waits for that. Returns whether there was one. */
export async function stopCluster(): Promise<boolean> {
  const socket = await dial();
  if (socket === undefined) return false;
  socket.resume().write(`${stopRequest}\n`);
  await once(socket, 'close');
  return true;
}

/**
 * A share in the running cluster through which its workers can be lost. Closing it brings back those that are lost, and
 * so does the end of this process. Throws when no cluster is running.
 */
export async function takeWorkers(): Promise<WorkerLease> {
  const socket = await dial();
  if (socket === undefined) throw new Error('No test cluster is running.');
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  return {
    ask: async (request) => {
      socket.write(`${request}\n`);
      for (;;) {
        const { value, done } = await lines.next();
        if (done === true) throw new Error('The test cluster has gone.');
        const answer = JSON.parse(value) as Answer | Message;
        if ('refused' in answer) throw new Error(answer.refused);
        if ('done' in answer && answer.done === request) return;
      }
    },
    close: () => {
      socket.destroy();
    },
  };
}

async function tryLease(log: Log): Promise<Lease | undefined> {
  const socket = (await dial()) ?? (await startSupervisor());
  const ended = once(socket, 'close').then(() => undefined);
  for await (const line of createInterface({ input: socket })) {
    const message = JSON.parse(line) as Message;
    if ('log' in message) log(message.log);
    else if ('failed' in message) throw new Error(message.failed);
    else {
      socket.resume().unref();
      return { cluster: message.ready, ended, release: () => socket.destroy() };
    }
  }
  return undefined;
}

async function startSupervisor(): Promise<Socket> {
  const cli = join(import.meta.dirname, 'cli.ts');
  // In a session of its own, so that Ctrl-C reaches it only through the connection that closes.
  const child = spawn(process.execPath, [cli, 'supervise'], { detached: true, stdio: 'ignore' });
  child.unref();
  const end = Date.now() + 15_000;
  for (;;) {
    const socket = await dial();
    if (socket !== undefined) return socket;
    if (Date.now() > end) throw new Error('The supervisor of the test cluster did not start.');
    await delay(50);
  }
}

async function dial(): Promise<Socket | undefined> {
  const socket = connect(supervisorAddress);
  return await new Promise((resolve) => {
    socket.once('connect', () => {
      resolve(socket);
    });
    // Refused: nobody listens. Afterwards a broken connection is told by its close.
    socket.on('error', () => {
      resolve(undefined);
    });
  });
}
