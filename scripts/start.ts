// The main job: the sandbox, VS Code with the extension, and with --kubernetes a throw-away Kubernetes.
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAddress } from '../src/model/clusterRef.ts';
import { kubeconfigFiles } from '../src/kubernetes/kubeconfigs.ts';
import { fillSample, formCluster } from '../src/redis/entry.ts';
import { startSandbox, type Sandbox } from '../src/sandbox/startSandbox.ts';
import { startKubernetes } from '../test/support/startKubernetes.ts';
import { openDesktop, serveVSCode } from './vscodeServe.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const shape = { masters: 3, replicasPerMaster: 1 };
const sampleKeys = 10_000;
/** Nothing that the person did not ask for, and no forwarding of the sandbox's ports. */
const settings = {
  'workbench.startupEditor': 'none',
  'telemetry.telemetryLevel': 'off',
  'remote.autoForwardPorts': false,
  'chat.disableAIFeatures': true,
};
const formLimitMs = 60_000;

/** What has been started, to be stopped in the reverse order. */
const stops: (() => Promise<void>)[] = [];
let stopping: Promise<void> | undefined;

function log(line: string): void {
  console.log(line);
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  log(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

/** Stops everything once, however often it is asked to. */
function stopAll(): Promise<void> {
  stopping ??= (async () => {
    for (const stop of stops.reverse()) {
      try {
        await stop();
      } catch (error) {
        console.error(error);
      }
    }
  })();
  return stopping;
}

function stopOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stopping === undefined) log('\nStopping …');
      void stopAll().then(() => {
        log('Everything that was started has been stopped.');
        process.exit(0);
      });
    });
  }
}

async function sandbox(): Promise<Sandbox> {
  const started = await startSandbox({
    ...shape,
    folder: await mkdtemp(join(tmpdir(), 'redis-cluster-sandbox-')),
    form: async (addresses) => {
      await formCluster(addresses.map(parseAddress), {}, shape, AbortSignal.timeout(formLimitMs));
      await fillSample(addresses, {}, sampleKeys);
    },
  });
  stops.push(() => started.stop());
  return started;
}

/** The kubeconfig of a throw-away Kubernetes beside the user's own, which are only read. */
async function kubernetes(): Promise<{ readonly kubeconfig: string; readonly context: string }> {
  const started = await startKubernetes({ log });
  stops.push(() => started.stop());
  const own = kubeconfigFiles([]);
  return { kubeconfig: [started.kubeconfig, ...own].join(delimiter), context: started.context };
}

/** Opens VS Code where there is a screen, or serves it; says where. */
async function vscode(env: Readonly<Record<string, string>>): Promise<string> {
  const dataDir = join(root, '.vscode-test', 'start');
  await mkdir(dataDir, { recursive: true });
  const options = { extensionPath: root, folder: homedir(), dataDir, env, settings, log };
  if (await openDesktop(options)) {
    stops.push(() => stopDesktop(dataDir));
    return 'VS Code is open in a window of its own';
  }
  const server = await serveVSCode(options);
  stops.push(() => server.stop());
  return server.url;
}

/** The desktop's main process writes its id beside its user data: https://github.com/microsoft/vscode `code.lock`. */
async function stopDesktop(dataDir: string): Promise<void> {
  const pid = Number(await readFile(join(dataDir, 'code.lock'), 'utf8').catch(() => ''));
  if (pid > 0) process.kill(pid, 'SIGTERM');
}

async function main(): Promise<void> {
  const withKubernetes = process.argv.includes('--kubernetes');
  stopOnSignals();
  await timed('Built the extension', () => {
    execFileSync(process.execPath, [join(root, 'esbuild.mjs')], { stdio: ['ignore', 'ignore', 'inherit'] });
    return Promise.resolve();
  });
  const { addresses } = await timed('Started the sandbox', sandbox);
  const cluster = withKubernetes ? await timed('Started Kubernetes', kubernetes) : undefined;
  const where = await timed('Started VS Code', () =>
    vscode({
      REDIS_CLUSTER_SANDBOX: addresses.join(','),
      ...(cluster === undefined ? {} : { KUBECONFIG: cluster.kubeconfig }),
    }),
  );
  log(screen(where, addresses, cluster?.context));
  // A process without anything to wait for would end; what was started lives until a signal comes.
  setInterval(() => undefined, 2 ** 30);
}

function screen(where: string, addresses: readonly string[], context: string | undefined): string {
  const first = addresses[0] ?? '';
  return `
Redis Cluster for Kubernetes is running.

  Open     ${where}
  Sandbox  six Redis servers at ${addresses.join(', ')}
           3 masters, 3 replicas, ${sampleKeys.toLocaleString('en-US')} sample keys; only on this machine, gone when this ends
${context === undefined ? '  More     npm start -- --kubernetes adds a throw-away Kubernetes' : `  Kubernetes  context ${context}, throw-away: three workers, gone when this ends`}

What to try first, in the Redis Cluster view (the three circles in the activity bar):
  1. Expand Sandbox: shards, nodes, hash slots.
  2. Its inline buttons: the slot map, and the check.
  3. Right-click a master, Reshard…: move 1,000 hash slots and watch them change colour in the slot map.
  4. In a terminal: redis-cli -c -p ${first.split(':').at(-1) ?? ''} cluster nodes
${context === undefined ? '' : `  5. Right-click the context ${context}, Deploy Cluster…\n`}
Ctrl-C stops everything.
`;
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  await stopAll();
  process.exit(1);
}
