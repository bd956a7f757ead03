import { setTimeout as delay } from 'node:timers/promises';
import { fillSample } from '../../src/redis/entry.ts';
import type { Stage } from './stage.ts';

/** The sandbox's own number. */
const sampleKeys = 10_000;

/** Sample keys, and the tree and the slot map of the cluster. */
export async function openCluster({ vscode, cluster, ref }: Stage, keys = sampleKeys): Promise<void> {
  await fillSample(cluster.addresses.slice(0, ref.addresses.length), {}, keys);
  await vscode.treeRow('Sandbox').waitFor({ timeout: 60_000 });
  await vscode.treeRow('Shard 1').waitFor({ timeout: 60_000 });
  await vscode.command('redisCluster.openSlotMap', { cluster: ref });
  const map = await vscode.webview(/ – Sandbox$/);
  await map.locator('[data-shard-id]').first().waitFor();
}

/** Makes the two spare servers a master without slots and its replica. Returns the id of the master. */
export async function addEmptyShard({ vscode, cluster, ref }: Stage): Promise<string> {
  const [master, replica] = cluster.nodes.slice(ref.addresses.length);
  const [first = ''] = ref.addresses;
  if (master === undefined || replica === undefined) throw new Error('There are no spare servers.');
  const address = (node: typeof master): string => `${node.host}:${node.port}`;
  await cliTo(cluster, 'add-node', address(master), first);
  // The new master has to be known to all before another node can be its replica.
  await delay(3000);
  await cliTo(
    cluster,
    'add-node',
    address(replica),
    first,
    '--cluster-slave',
    '--cluster-master-id',
    master.id,
  );
  await vscode.treeRow('Shard 4').waitFor({ timeout: 30_000 });
  return master.id;
}

async function cliTo(cluster: Stage['cluster'], ...args: readonly string[]): Promise<void> {
  const { code, stdout } = await cluster.cli('--cluster', ...args);
  if (code !== 0) throw new Error(stdout);
}
