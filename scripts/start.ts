// The main job: the sandbox, VS Code with the extension, and with --kubernetes a throw-away Kubernetes.
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseAddress } from '../src/model/clusterRef.ts';
import { kubeconfigFiles } from '../src/kubernetes/kubeconfigs.ts';
import { fillSample, formCluster } from '../src/redis/entry.ts';
import { startSandbox, type Sandbox } from '../src/sandbox/startSandbox.ts';
import { startKubernetes } from '../test/support/startKubernetes.ts';
import { prepareRun, type RunFolder } from './startFolder.ts';
import { isAlive } from './lock.ts';
import { openDesktop, serveVSCode } from './vscode/serve.ts';

const root = join(import.meta.dirname, '..');
const shape = { masters: 3, replicasPerMaster: 1 };
const sampleKeys = 10_000;
/** Nothing that the person did not ask for, and no forwarding of the sandbox's ports. */
const settings = {
  'workbench.startupEditor': 'none',
  'telemetry.telemetryLevel': 'off',
  'remote.autoForwardPorts': false,
  'git.openRepositoryInParentFolders': 'never',
  'chat.disableAIFeatures': true,
};
const formLimitMs = 60_000;
/** For what is just being started when everything is to stop. */
const settleLimitMs = 5000;
/** Once stopping begins, a desktop VS Code gets this long to save and close. */
const desktopLimitMs = 8000;

/** What has been started, to be stopped in the reverse order. */
const stops: (() => Promise<void>)[] = [];
let underWay: Promise<unknown> = Promise.resolve();
let stopping: Promise<void> | undefined;

function log(line: string): void {
  console.log(line);
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const working = work();
  underWay = working.catch(() => undefined);
  const result = await working;
  if (stopping !== undefined) throw new Error(`${what}, and stopped.`);
  log(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

/** Stops everything once, however often it is asked to. */
function stopAll(): Promise<void> {
  stopping ??= (async () => {
    await Promise.race([underWay, delay(settleLimitMs)]);
    for (const stop of stops.reverse()) {
      await stop().catch((error: unknown) => {
        console.error(error instanceof Error ? error.message : error);
      });
    }
  })();
  return stopping;
}

function stopOnSignals(): void {
  const end = () => {
    if (stopping !== undefined) return;
    log('\nStopping…');
    void stopAll().then(() => {
      log('Everything that was started has been stopped.');
      process.exit(0);
    });
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  // A terminal that was closed takes no more words.
  process.stdout.on('error', end);
  const parent = process.ppid;
  // Keeps this process alive, too: what was started lives until it is to stop, or until who asked for it is gone.
  setInterval(() => {
    if (process.ppid !== parent) end();
  }, 500);
}

async function sandbox(folder: string): Promise<Sandbox> {
  const started = await startSandbox({
    ...shape,
    folder,
    form: async (addresses) => {
      await formCluster(addresses.map(parseAddress), {}, shape, AbortSignal.timeout(formLimitMs));
      await fillSample(addresses, {}, sampleKeys);
    },
  });
  stops.push(() => started.stop());
  return started;
}

/**
 * The kubeconfig of a throw-away Kubernetes before the user's own, which are only read: what a terminal of this VS Code does
 * without naming a context is then done to the throw-away one.
 */
async function kubernetes(): Promise<{ readonly kubeconfig: string; readonly context: string }> {
  const started = await startKubernetes({ log });
  stops.push(() => started.stop());
  const files = new Set([started.kubeconfig, ...kubeconfigFiles([])]);
  return { kubeconfig: [...files].join(delimiter), context: started.context };
}

/** Opens VS Code where there is a screen, or serves it; says where. */
async function vscode(run: RunFolder, env: Readonly<Record<string, string>>): Promise<string> {
  const dataDir = run.folder;
  // Empty, and not the person's own: VS Code watches everything in the folder that it opens.
  const folder = join(dataDir, 'Redis Cluster');
  await mkdir(folder, { recursive: true });
  const options = { extensionPath: root, folder, dataDir, env, settings, log };
  const desktopProcess = join(dataDir, 'code.lock');
  await rm(desktopProcess, { force: true });
  if (await openDesktop(options)) {
    stops.push(() => stopDesktop(desktopProcess));
    return 'VS Code is open in its own window';
  }
  await openViewFirst(dataDir);
  const server = await serveVSCode({ ...options, ...(run.number === 1 ? {} : { port: 0 }) });
  stops.push(() => server.stop());
  return server.url;
}

/** The served VS Code takes every extension that is in its folder. */
async function openViewFirst(dataDir: string): Promise<void> {
  const link = join(dataDir, 'extensions', 'first-view');
  await mkdir(join(dataDir, 'extensions'), { recursive: true });
  await rm(link, { force: true });
  await symlink(join(root, 'scripts', 'firstView'), link, 'dir');
}

/** The desktop's main process writes its id beside its user data: https://github.com/microsoft/vscode `code.lock`. */
async function stopDesktop(lock: string): Promise<void> {
  const pid = Number(await readFile(lock, 'utf8').catch(() => ''));
  if (pid <= 0 || !isAlive(pid)) return;
  process.kill(pid, 'SIGTERM');
  const end = Date.now() + desktopLimitMs;
  while (isAlive(pid) && Date.now() < end) await delay(100);
}

async function main(): Promise<void> {
  const withKubernetes = process.argv.includes('--kubernetes');
  stopOnSignals();
  const run = await timed('Built the extension', () => prepareRun(root, log));
  stops.push(run.release);
  // Everything temporary of this run is here, and goes with the sandbox however this process ends.
  const temporary = await mkdtemp(join(tmpdir(), 'redis-cluster-start-'));
  stops.push(() => rm(temporary, { recursive: true, force: true }));
  const { addresses } = await timed('Started the sandbox', () => sandbox(temporary));
  const cluster = withKubernetes ? await timed('Started Kubernetes', kubernetes) : undefined;
  const where = await timed('Started VS Code', () =>
    vscode(run, {
      TMPDIR: temporary,
      XDG_RUNTIME_DIR: temporary,
      REDIS_CLUSTER_SANDBOX: addresses.join(','),
      ...(cluster === undefined ? {} : { KUBECONFIG: cluster.kubeconfig }),
    }),
  );
  log(screen(where, addresses, cluster?.context));
}

function screen(where: string, addresses: readonly string[], context: string | undefined): string {
  const ports = addresses.map((address) => parseAddress(address).port);
  const more =
    context === undefined
      ? 'Kubernetes  the contexts of your kubeconfig; npm start -- --kubernetes adds a temporary cluster'
      : `Kubernetes  the contexts of your kubeconfig and ${context},\n              a temporary cluster with three nodes, removed when this ends`;
  return `
Redis Cluster for Kubernetes is running.

  Open        ${where}
  Sandbox     six Redis servers at 127.0.0.1, ports ${ports.join(' ')}
              3 masters, 3 replicas, ${sampleKeys.toLocaleString('en-US')} sample keys; removed when this ends
  ${more}

What to try first, in the Redis Cluster view (the triangle of circles in the activity bar):
  1. Expand the Sandbox's shards: nodes, hash slots, keys.
  2. Hover over Sandbox and use its buttons: Open Slot Map, Check Cluster.
  3. Select Reshard… in the slot map, and watch slots move.
  4. In a terminal: redis-cli -c -p ${ports[0] ?? ''} cluster nodes
${context === undefined ? '' : `  5. Right-click the context ${context} and select Deploy Cluster….\n`}
Ctrl-C stops everything.`;
}

try {
  await main();
} catch (error) {
  // What fails because it is being stopped is no news.
  if (stopping === undefined) {
    console.error(error instanceof Error ? error.message : error);
    await stopAll();
    process.exit(1);
  }
}
