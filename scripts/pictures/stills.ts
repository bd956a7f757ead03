import { setTimeout as delay } from 'node:timers/promises';
import type { TestCluster } from '../../test/support/startRedisCluster.ts';
import { addEmptyShard, openCluster } from './shards.ts';
import type { Stage } from './stage.ts';

type Taken = Readonly<Record<string, Buffer>>;

/** What a machine without a kubeconfig shows first. */
export async function takeStart({ vscode, inBothThemes }: Stage): Promise<Taken> {
  await vscode.page.getByRole('button', { name: 'Start Sandbox' }).waitFor({ timeout: 60_000 });
  return inBothThemes('start', { x: 0, y: 0, width: 640, height: 340 });
}

export async function takeHealthy(stage: Stage): Promise<Taken> {
  const { vscode, ref, inBothThemes } = stage;
  await openCluster(stage);
  await vscode.expandRow('Shard 1');
  await vscode.expandRow('Shard 2');
  await vscode.command('redisCluster.openSlotMap', { cluster: ref });
  return inBothThemes('slotmap');
}

/** The question before a rebalance to a new shard. */
export async function takePlan(stage: Stage): Promise<Taken> {
  const { vscode, inBothThemes } = stage;
  await openCluster(stage);
  await addEmptyShard(stage);
  const asking = vscode.command('redisCluster.rebalance');
  await vscode.page.locator('.quick-input-list .monaco-list-row').first().waitFor({ timeout: 30_000 });
  await vscode.page.keyboard.press('Enter');
  await vscode.page.locator('.monaco-dialog-box').waitFor({ timeout: 30_000 });
  const taken = await inBothThemes('plan');
  await vscode.pressDialog('Cancel');
  await asking;
  return taken;
}

/** A shard whose servers are all gone, a master without its replica, and a slot migration that somebody left half done. */
export async function takeBroken(stage: Stage): Promise<Taken> {
  const { vscode, cluster, ref, inBothThemes } = stage;
  await openCluster(stage);
  const [first, second, third] = cluster.nodes;
  if (first === undefined || second === undefined || third === undefined)
    throw new Error('Three masters are needed.');
  await leaveOpen(cluster, 4000);
  for (const node of await shardOf(cluster, second.id)) cluster.kill(node);
  const [, replica] = await shardOf(cluster, third.id);
  if (replica !== undefined) cluster.kill(replica);
  // Servers find the others dead one after another, and the view gives each some seconds to answer.
  await delay(20_000);
  const map = await inBothThemes('broken');
  await vscode.command('redisCluster.check', { cluster: ref });
  return { ...map, ...(await inBothThemes('check')) };
}

/** A slot that the first master is giving to the third. */
async function leaveOpen(cluster: TestCluster, slot: number): Promise<void> {
  const [first, , third] = cluster.nodes;
  if (first === undefined || third === undefined) return;
  for (const [node, ...words] of [
    [third, 'IMPORTING', first.id],
    [first, 'MIGRATING', third.id],
  ] as const) {
    await cluster.cli('-p', String(node.port), 'CLUSTER', 'SETSLOT', String(slot), ...words);
  }
}

/** A master and its replicas. */
async function shardOf(cluster: TestCluster, master: string): Promise<TestCluster['nodes']> {
  const { stdout } = await cluster.cli('CLUSTER', 'NODES');
  const ids = stdout.split('\n').flatMap((line) => {
    const [id = '', , , masterId] = line.split(' ');
    return id === master || masterId === master ? [id] : [];
  });
  return cluster.nodes.filter(({ id }) => ids.includes(id)).sort((a) => (a.id === master ? -1 : 1));
}
