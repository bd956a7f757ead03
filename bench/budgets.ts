// What the extension may cost in its editor, each with its limit: npm run bench -- budgets [hosts, 20] [seconds of idling, 30]
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { newestServer } from '../scripts/vscode/install.ts';
import { parseAddress } from '../src/model/clusterRef.ts';
import { connectNode } from '../src/redis/connect.ts';
import { readNodeView } from '../src/redis/nodeView.ts';
import { launchVSCode, type VSCodeUnderTest } from '../test/support/launchVSCode.ts';
import { makePackage } from '../test/support/makePackage.ts';
import { startRedisCluster, type TestCluster } from '../test/support/startRedisCluster.ts';
import { cpuMs, heapBytes, idlePercent } from './support/host.ts';
import { median, round } from './support/numbers.ts';
import { settle } from './support/side.ts';

const [first = '20', second = '30'] = process.argv.slice(2);
const hosts = Number(first);
const idleSeconds = Number(second);
const limits = {
  vsixMB: 0.8,
  activationMs: 10,
  heapMB: 40,
  firstRowsMs: 500,
  roleChangeMs: 1000,
  cpuMsPerRefresh: 300,
  idleCpuPercent: 10,
  idleCpuPercent200: 10,
  slotMapMs200: 1000,
  hiddenCpuPercent: 1,
};
const activation = join(import.meta.dirname, 'support', 'activation');
const times = { connectTimeoutMs: 5000, commandTimeoutMs: 5000 };
const folder = await mkdtemp(join(tmpdir(), 'budgets-'));

/** A clean VS Code with the package, or with an extension that does nothing. */
function launch(extensionPath: string, addresses: readonly string[], file = ''): Promise<VSCodeUnderTest> {
  return launchVSCode({
    ...{ extensionPath, version: newestServer, log: console.log },
    otherExtensions:
      file === '' ? [] : ['empty', 'other-empty', 'probe'].map((name) => join(activation, name)),
    env: { KUBECONFIG: '/nonexistent/kubeconfig', ACTIVATION_TIMES: file },
    settings: { 'redisCluster.addresses': addresses },
  });
}

async function activationMs(extensionPath: string): Promise<number> {
  const file = join(folder, 'activations');
  await writeFile(file, '');
  const vscode = await launch(extensionPath, [], file);
  const measured = async (): Promise<readonly { empty: number; own: number }[]> =>
    (await readFile(file, 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { empty: number; own: number });
  try {
    for (let host = 1; ; host++) {
      const end = Date.now() + 60_000;
      while ((await measured()).length < host && Date.now() < end) await sleep(100);
      if (host === hosts) break;
      await vscode.page.reload();
    }
  } finally {
    await vscode.close();
  }
  const all = await measured();
  console.log(all.map(({ empty, own }) => `${own.toFixed(1)} (empty ${empty.toFixed(1)})`).join(', '));
  return median(all.map(({ own }) => own)) - median(all.map(({ empty }) => empty));
}

/** Looks in each frame that is drawn, while Playwright's own waiting looks twice a second. */
async function rowDrawn({ page }: VSCodeUnderTest, text: RegExp): Promise<void> {
  const rows = '.tree-explorer-viewlet-tree-view .monaco-list-row';
  const look = `[...document.querySelectorAll('${rows}')].some((row) => ${text}.test(row.textContent))`;
  await page.waitForFunction(look, undefined, { polling: 'raf', timeout: 30_000 });
}

async function shown<T>(work: () => Promise<unknown>, seen: () => Promise<T>): Promise<number> {
  const started = performance.now();
  await Promise.all([work(), seen()]);
  return performance.now() - started;
}

/** From the moment the server itself says that it is a master until its row says so. */
async function roleChange(
  vscode: VSCodeUnderTest,
  { nodes, addresses: [name = ''] }: TestCluster,
): Promise<number> {
  const replica = nodes.find(({ role }) => role === 'replica');
  if (replica === undefined) throw new Error('There is no replica.');
  const address = `${replica.host}:${replica.port}`;
  await vscode.expandRow(name);
  for (let shard = 1; shard <= 3; shard++) await vscode.expandRow(`Shard ${shard}`);
  const row = new RegExp(`^\\s*${address}\\s*master`);
  const connection = await connectNode(parseAddress(address), {}, times);
  await connection.call('CLUSTER', 'FAILOVER');
  while ((await readNodeView(connection)).replication.role !== 'master') await sleep(10);
  const started = performance.now();
  await rowDrawn(vscode, row);
  connection.close();
  return performance.now() - started;
}

/** What a refresh costs beyond what reading at its own pace would have cost meanwhile. */
async function refreshCpuMs(vscode: VSCodeUnderTest, idle: number): Promise<number> {
  const figures: number[] = [];
  for (let run = 0; run < 7; run++) {
    const [before, started] = [await cpuMs(vscode), performance.now()];
    await vscode.command('redisCluster.refresh');
    await sleep(1000);
    figures.push((await cpuMs(vscode)) - before - (idle / 100) * (performance.now() - started));
  }
  return median(figures);
}

async function start(
  count: number,
  masters: number,
  replicasPerMaster: number,
): Promise<readonly TestCluster[]> {
  const started: TestCluster[] = [];
  for (let number = 1; number <= count; number++) {
    const cluster = await startRedisCluster({
      ...{ masters, replicasPerMaster },
      config: { 'cluster-node-timeout': '30000', 'repl-backlog-size': '1mb' },
    });
    clusters.push(cluster);
    started.push(cluster);
  }
  for (const cluster of started) await settle(cluster);
  return started;
}

const firstAddresses = (some: readonly TestCluster[]): readonly string[] =>
  some.map(({ addresses }) => addresses[0] ?? '');

/** Ten clusters of twelve nodes. */
async function tenClusters(extensionPath: string): Promise<Partial<Record<keyof typeof limits, number>>> {
  const ten = await start(10, 3, 3);
  const none = await launch(join(activation, 'empty'), []);
  await sleep(8000);
  const without = await heapBytes(none);
  const idleWithout = await idlePercent(none, idleSeconds);
  await none.close();
  const vscode = await launch(extensionPath, firstAddresses(ten));
  try {
    await sleep(3000);
    const firstRowsMs = await shown(
      () => vscode.command('redisCluster.clusters.focus'),
      () => rowDrawn(vscode, /healthy/),
    );
    await sleep(15_000);
    const heapMB = ((await heapBytes(vscode)) - without) / 1e6;
    const idleCpuPercent = await idlePercent(vscode, idleSeconds);
    const cpuMsPerRefresh = await refreshCpuMs(vscode, idleCpuPercent);
    await vscode.screenshot('budgets-ten');
    const changes: number[] = [];
    for (const one of ten.slice(0, 5)) {
      changes.push(await roleChange(vscode, one));
      await vscode.command('workbench.actions.treeView.redisCluster.clusters.collapseAll');
    }
    const roleChangeMs = median(changes);
    await vscode.command('workbench.view.explorer');
    // A view that comes back soon finds its connections still open.
    await sleep(15_000);
    // An extension host that does nothing is not at rest either.
    const hiddenCpuPercent = Math.max(0, (await idlePercent(vscode, idleSeconds)) - idleWithout);
    return { heapMB, firstRowsMs, roleChangeMs, cpuMsPerRefresh, idleCpuPercent, hiddenCpuPercent };
  } finally {
    await vscode.close();
    await Promise.all(clusters.splice(0).map((cluster) => cluster.stop()));
  }
}

/** One healthy cluster of two hundred nodes. */
async function twoHundred(extensionPath: string): Promise<Partial<Record<keyof typeof limits, number>>> {
  const [cluster] = await start(1, 100, 1);
  if (cluster === undefined) throw new Error('There is no cluster.');
  const addresses = cluster.addresses.slice(0, 1);
  const vscode = await launch(extensionPath, addresses);
  try {
    await vscode.command('redisCluster.clusters.focus');
    await vscode.treeRow(/healthy.*200 nodes/).waitFor({ timeout: 120_000 });
    await sleep(15_000);
    await vscode.screenshot('budgets-200');
    const idleCpuPercent200 = await idlePercent(vscode, idleSeconds);
    const slotMapMs200 = await shown(
      () => vscode.command('redisCluster.openSlotMap', { cluster: { addresses } }),
      async () => (await vscode.webview(/^Slot Map/)).locator('[data-shard-id]').first().waitFor(),
    );
    return { idleCpuPercent200, slotMapMs200 };
  } finally {
    await vscode.close();
    await Promise.all(clusters.splice(0).map((each) => each.stop()));
  }
}

const clusters: TestCluster[] = [];
try {
  const extension = await makePackage(join(folder, 'extension.vsix'));
  const figures: Partial<Record<keyof typeof limits, number>> = {
    vsixMB: (await stat(extension)).size / 1e6,
    activationMs: await activationMs(extension),
    ...(await tenClusters(extension)),
    ...(await twoHundred(extension)),
  };
  for (const [name, limit] of Object.entries(limits)) {
    const figure = figures[name as keyof typeof limits] ?? Number.NaN;
    console.log(`${figure <= limit ? '✔' : '✖'} ${name} ${round(figure)} (at most ${limit})`);
  }
  const rounded = Object.entries(figures).map(([name, figure]) => [name, round(figure)] as const);
  console.log(JSON.stringify(Object.fromEntries(rounded)));
} finally {
  await Promise.all(clusters.map((cluster) => cluster.stop()));
  await rm(folder, { recursive: true, force: true });
}
