// build: makes the slow parts and keeps them in the cache. up: holds a cluster until this process ends.
// down: removes the running cluster, whoever holds it. supervise: what `up` and the tests start in the background.
import { buildParts } from './builtCluster.ts';
import { stopCluster, takeLease } from './lease.ts';
import { hasKind } from './kindCluster.ts';
import { whyNotHere } from './packages.ts';
import { endRunning } from './run.ts';
import { supervise } from './supervisor.ts';

const log = (line: string): void => {
  console.log(line);
};

async function build(): Promise<void> {
  if (await hasKind()) {
    log('Nothing to build: kind is used.');
    return;
  }
  const reason = whyNotHere();
  if (reason !== undefined) throw new Error(`A Kubernetes cannot be built here: ${reason}.`);
  process.once('exit', endRunning);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
  await buildParts(log);
}

async function up(): Promise<void> {
  const { cluster, ended, release } = await takeLease(log);
  log(`KUBECONFIG: ${cluster.kubeconfig}`);
  log(`Context: ${cluster.context}`);
  log(`Images: ${Object.values(cluster.images).join(' ')}`);
  log('Running until this process ends.');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, release);
  const awake = setInterval(() => undefined, 60_000);
  await ended;
  clearInterval(awake);
}

async function down(): Promise<void> {
  log((await stopCluster()) ? 'Removed.' : 'None is running.');
}

const commands: Readonly<Record<string, () => Promise<void>>> = { build, up, down, supervise };
const command = commands[process.argv[2] ?? ''];
if (command === undefined) {
  console.error('usage: cli.ts build|up|down');
  process.exitCode = 2;
} else {
  try {
    await command();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
