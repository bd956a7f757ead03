import { mkdir } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { buildParts, startBuiltCluster } from './builtCluster.ts';
import { cleanUp } from './cleanUp.ts';
import type { HeldWorker } from './heldWorker.ts';
import type { TestImages } from './images.ts';
import { hasKind, kindContext, kindKubeconfig, startKindCluster } from './kindCluster.ts';
import { contextName, kubeconfigFile } from './layout.ts';
import { abstractAddress, listen } from './lock.ts';
import { whyNotHere } from './packages.ts';
import { endRunning } from './run.ts';
import { cacheFolder } from './cache.ts';

/** What the supervisor tells of the cluster it holds. */
export interface HeldCluster {
  readonly kubeconfig: string;
  readonly context: string;
  readonly kind: 'kind' | 'built';
  readonly images: TestImages;
}

/** What the supervisor writes to each client, one JSON text a line. */
export type Message =
  { readonly log: string } | { readonly ready: HeldCluster } | { readonly failed: string };

export const supervisorAddress = abstractAddress('supervisor');

/** A client writes this line to have the cluster stopped although others use it. */
export const stopRequest = 'stop';

/** What the supervisor answers to a line like `lose worker-1` or `restore worker-1`. */
export type Answer = { readonly done: string } | { readonly refused: string };

interface Running {
  readonly cluster: HeldCluster;
  readonly stop: () => Promise<void>;
  /** Those that can be lost: none of a cluster that kind made. */
  readonly workers: readonly HeldWorker[];
}

/**
 * Holds the cluster for as long as any client is connected, and then removes it. A connection ends with its process
 * however that ends, so the cluster does not outlive the last run that uses it. Returns when all is removed, or at once
 * when another supervisor is already there.
 */
export async function supervise(): Promise<void> {
  const server = await listen(supervisorAddress);
  if (server === undefined) return;
  const clients = new Set<Socket>();
  const said: Message[] = [];
  const progress: Progress = { abandoned: false };
  const say = (message: Message): void => {
    // Who comes once it is ready need not read how that went.
    if ('ready' in message) said.length = 0;
    said.push(message);
    for (const client of clients) client.write(`${JSON.stringify(message)}\n`);
  };
  const unused = new Promise<void>((resolve) => {
    const first = setTimeout(resolve, 10_000);
    server.on('connection', (client) => {
      clearTimeout(first);
      clients.add(client);
      for (const message of said) client.write(`${JSON.stringify(message)}\n`);
      client.on('error', () => undefined);
      const restoreLost = takeRequests(client, progress, resolve);
      client.on('close', () => {
        clients.delete(client);
        if (clients.size === 0) resolve();
        else void restoreLost();
      });
    });
  });
  const abandoned = unused.then(() => {
    progress.abandoned = true;
    if (progress.running === undefined) endRunning();
  });
  const running = await startAny((log) => {
    say({ log });
  }).catch((error: unknown) => {
    // Who comes after everybody has gone finds the connection closed, and starts anew.
    if (!progress.abandoned) say({ failed: error instanceof Error ? error.message : String(error) });
    return undefined;
  });
  if (running !== undefined) {
    progress.running = running;
    if (!progress.abandoned) say({ ready: running.cluster });
    await abandoned;
    await running.stop();
  }
  server.close();
  for (const client of clients) client.end();
}

interface Progress {
  abandoned: boolean;
  running?: Running;
}

/**
 * Does what a client's lines ask for, one after the other. Returns what restores the workers that it lost and did not
 * restore, for when its connection is gone: a test that crashed leaves no lost worker to the others.
 */
function takeRequests(client: Socket, progress: Progress, stop: () => void): () => Promise<void> {
  const lost = new Set<HeldWorker>();
  let last = Promise.resolve();
  const restore = async (worker: HeldWorker): Promise<void> => {
    await worker.restore();
    lost.delete(worker);
  };
  const perform = async (line: string): Promise<Answer> => {
    const [verb, name] = line.split(' ');
    const worker = progress.running?.workers.find((each) => each.name === name);
    if (worker === undefined) return { refused: `This cluster has no worker ${String(name)} to lose.` };
    if (verb === 'lose' && !lost.has(worker)) {
      lost.add(worker);
      await worker.lose();
    } else if (verb === 'restore' && lost.has(worker)) await restore(worker);
    return { done: line };
  };
  createInterface({ input: client }).on('line', (line) => {
    if (line === stopRequest) {
      stop();
      return;
    }
    last = last
      .then(() => perform(line))
      .catch((error: unknown): Answer => ({ refused: String(error) }))
      .then((answer) => {
        client.write(`${JSON.stringify(answer)}\n`);
      });
  });
  return async () => {
    await last;
    for (const worker of lost) await restore(worker);
  };
}

async function startAny(log: (line: string) => void): Promise<Running> {
  await mkdir(cacheFolder, { recursive: true, mode: 0o700 });
  if (await hasKind()) {
    const stop = await startKindCluster(log);
    const cluster = {
      kubeconfig: kindKubeconfig,
      context: kindContext,
      kind: 'kind',
      images: registryImages,
    } as const;
    return { cluster, stop, workers: [] };
  }
  const reason = whyNotHere();
  if (reason !== undefined) {
    throw new Error(
      `No Kubernetes for the tests: set TEST_KUBECONFIG, or install Docker and kind. One cannot be built here: ${reason}.`,
    );
  }
  await cleanUp();
  const parts = await buildParts(log);
  const built = await startBuiltCluster(parts, log);
  const cluster = {
    kubeconfig: kubeconfigFile,
    context: contextName,
    kind: 'built',
    images: parts.images,
  } as const;
  return { cluster, ...built };
}

/** Published images, for clusters that can pull them. */
export const registryImages: TestImages = {
  redis7: 'docker.io/library/redis:7.0.15',
  redis8: 'docker.io/library/redis:8.0.2',
  redisNewest: 'docker.io/library/redis:8.6.3',
  valkey8: 'docker.io/valkey/valkey:8.1.1',
  valkeyNewest: 'docker.io/valkey/valkey:9.1.2',
  exporter: 'docker.io/oliver006/redis_exporter:v1.86.0',
  busybox: 'docker.io/library/busybox:1.28',
};
