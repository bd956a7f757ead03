import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseAddress } from '../../src/model/clusterRef.ts';
import { keySlot } from '../../src/model/keySlot.ts';
import { countSlots, parseSlots } from '../../src/model/slots.ts';
import { connectNode } from '../../src/redis/entry.ts';
import { assertAccessible } from '../support/vscode/accessible.ts';
import { keepOnFailure, launchVSCode, type VSCodeUnderTest } from '../support/launchVSCode.ts';
import { eventually } from '../support/vscode/kubernetesAccess.ts';
import { followWalkthrough } from '../support/vscode/walkthrough.ts';
import { loseSlots } from '../support/vscode/unhealthy.ts';
import { failOver } from '../support/vscode/failOver.ts';
import type { CheckResult, NodeResult, Result, SnapshotResult } from '../support/vscode/results.ts';

const extensionPath = fileURLToPath(new URL('../..', import.meta.url));

describe('the sandbox in VS Code', { timeout: 20 * 60_000 }, () => {
  let vscode: VSCodeUnderTest;
  let cluster: { addresses: string[] };
  before(async () => {
    vscode = await launchVSCode({
      extensionPath,
      env: { KUBECONFIG: '/nonexistent/kubeconfig' },
      log: console.log,
    });
  });
  after(() => vscode.close());
  keepOnFailure(() => vscode);
  const snapshot = (): Promise<SnapshotResult> =>
    vscode.command<SnapshotResult>('redisCluster.snapshot', { cluster });
  const masters = async (): Promise<readonly NodeResult[]> =>
    (await snapshot()).cluster.nodes.filter((node) => node.role === 'master');

  test('it is activated before a view is opened, and only what VS Code has to be given is loaded then', async () => {
    await eventually('the activation', 30, () =>
      vscode.evaluate(
        (api) =>
          api.extensions.getExtension('kubernetes-redis-cluster.kubernetes-redis-cluster')?.isActive === true,
      ),
    );
    const loaded = await vscode.evaluate(() => {
      return Object.keys(require.cache).filter((file) =>
        /dist[/\\](assemble|commands|redis|kubernetes)\.cjs$/.test(file),
      );
    });
    assert.deepEqual(loaded, []);
  });

  test('without any kubeconfig the view says what can be done', async () => {
    await vscode.setTheme('dark');
    await vscode.command('workbench.view.extension.redisCluster');
    await vscode.page.getByText('No kubeconfig was found').waitFor();
    await vscode.screenshot('empty-dark');
  });

  test('the walkthrough leads from install to slots that move, in five clicks and 30 s', async () => {
    await followWalkthrough(vscode, { mostClicks: 5, mostSeconds: 30 });
  });

  test('it stands in the tree, selected', async () => {
    await vscode.treeRow('Sandbox').waitFor({ timeout: 60_000 });
    await vscode.page.locator('.monaco-list-row.selected').filter({ hasText: 'Sandbox' }).waitFor();
    await vscode.treeRow('Shard 1').waitFor({ timeout: 30_000 });
    const started = await vscode.command<Result & { cluster: { addresses: string[] } }>(
      'redisCluster.startSandbox',
    );
    assert.equal(started.outcome, 'done');
    cluster = started.cluster;
    const { nodes, shards } = (await snapshot()).cluster;
    assert.equal(nodes.length, 6);
    assert.equal(shards.length, 3);
    await vscode.expandRow('Shard 1');
    assert.match((await vscode.rowTexts()).join('\n'), /Sandbox, healthy · 3 shards · 6 nodes/);
    await vscode.screenshot('sandbox-tree-dark');
  });

  test('the check says what redis-cli says', async () => {
    const result = await vscode.command<CheckResult>('redisCluster.check', {
      cluster,
    });
    assert.equal(result.ok, true, result.text);
    assert.match(result.text, /\[OK\] 10000 keys in 3 masters\./);
    assert.match(result.text, /\[OK\] All 16384 slots covered\./);
    await vscode.screenshot('check-dark');
  });

  test('the slot map shows the new owner after a reshard', async () => {
    await vscode.command('redisCluster.openSlotMap', { cluster });
    const page = await vscode.webview(/^Slot Map/);
    await page.locator('[data-shard-id]').first().waitFor();
    await vscode.screenshot('slotmap-dark');
    const [source, target] = await masters();
    assert.ok(source !== undefined && target !== undefined);
    const moved = await vscode.command<Result & { movedSlots: number; movedKeys: number; method: string }>(
      'redisCluster.reshard',
      { cluster, from: [source.id], to: target.id, slots: 1000, confirmed: true },
    );
    assert.equal(moved.outcome, 'done', moved.message);
    assert.equal(moved.movedSlots, 1000);
    assert.equal(moved.method, 'migrate');
    assert.ok(moved.movedKeys > 400);
    const after = await masters();
    const slots = after.find((node) => node.id === target.id)?.slots ?? '';
    await page.locator(`[data-shard-id="${target.id}"][data-slots="${slots}"]`).waitFor({ timeout: 5_000 });
    await vscode.setTheme('light');
    await vscode.screenshot('slotmap-light');
    await vscode.setTheme('highContrast');
    await vscode.screenshot('slotmap-hc');
    await assertAccessible(vscode);
  });

  test('a key, a node and a slot lead to each other, and their names to the clipboard', async () => {
    const key = 'user:{42}:name';
    const found = await vscode.command<Result & { slot: number; node: string }>('redisCluster.goToKey', {
      cluster,
      key,
    });
    assert.equal(found.slot, keySlot(key));
    const owner = (await snapshot()).cluster.nodes.find(({ id }) => id === found.node);
    assert.ok(owner !== undefined && !found.message.includes(key), found.message);
    const page = await vscode.webview(/^Slot Map/);
    await page.locator(`#readout[data-slot="${found.slot}"][data-owner="${owner.id}"]`).waitFor();
    const selected = (address: string): Promise<unknown> =>
      vscode.page.locator('[role="treeitem"][aria-selected="true"]', { hasText: address }).waitFor();
    await selected(owner.address);
    const other = (await masters()).find(({ id }) => id !== owner.id);
    assert.ok(other !== undefined);
    await vscode.command('redisCluster.goToNode', { cluster, node: other.id });
    await selected(other.address);
    await page.getByRole('button', { name: 'Show in Tree' }).click();
    await selected(owner.address);
    const copied = await vscode.command<Result & { text: string }>('redisCluster.copy', {
      ...{ cluster, node: owner.id, what: 'redisCli' },
    });
    assert.equal(copied.text, `redis-cli -c -h 127.0.0.1 -p ${owner.address.split(':')[1] ?? ''}`);
  });

  test('nodes are listed by role or by host, as chosen', async () => {
    await vscode.command('redisCluster.groupBy', { by: 'machines' });
    await vscode.treeRow('127.0.0.1').waitFor();
    await vscode.screenshot('sandbox-machines-dark');
    await vscode.command('redisCluster.groupBy', { by: 'roles' });
    await vscode.treeRow('Masters').waitFor();
    assert.match((await vscode.rowTexts()).join('\n'), /^Masters, 3$/m);
  });

  test('a replica that is dropped on a master shows the plan, and moves when it is confirmed', async () => {
    const { nodes } = (await snapshot()).cluster;
    const replica = nodes.find(({ role }) => role === 'replica');
    const onto = nodes.find(({ id, role }) => role === 'master' && id !== replica?.masterId);
    assert.ok(replica !== undefined && onto !== undefined);
    await vscode.treeRow(replica.address).dragTo(vscode.treeRow(onto.address));
    const dialog = vscode.page.locator('.monaco-dialog-box');
    await dialog.getByText(onto.address).first().waitFor({ timeout: 10_000 });
    await vscode.screenshot('drop-replica-dark');
    await dialog.getByRole('button', { name: 'Move 1 Replica' }).click();
    await eventually('the replica follows the other master', 30, async () => {
      const now = (await snapshot()).cluster.nodes.find(({ id }) => id === replica.id);
      return now?.masterId === onto.id;
    });
    const back = { cluster, node: replica.id, master: replica.masterId, confirmed: true };
    await eventually('the move has ended, and the one back is done', 30, async () => {
      return (await vscode.command<Result>('redisCluster.replicate', back)).outcome === 'done';
    });
  });

  test('a replica that takes over changes the rows of its shard, soon after the servers say so', async () => {
    const replica = (await snapshot()).cluster.nodes.find((node) => node.role === 'replica');
    assert.ok(replica !== undefined);
    const row = vscode.treeRow(new RegExp(`^${replica.address}\\s*master`));
    assert.equal(await row.count(), 0);
    const times = { connectTimeoutMs: 2000, commandTimeoutMs: 2000 };
    const connection = await connectNode(parseAddress(replica.address), {}, times);
    await failOver(connection);
    const started = performance.now();
    await row.waitFor({ timeout: 10_000 });
    console.log(
      `role changed, its rows changed ${((performance.now() - started) / 1000).toFixed(2)} s later`,
    );
    connection.close();
    // Masters that have just changed places refuse nothing, but the check waits for all to agree.
    const check = await vscode.command<CheckResult>('redisCluster.check', { cluster });
    assert.equal(check.ok, true, check.text);
  });

  test('from a row, a reshard asks, shows its plan, and runs when it is confirmed', async () => {
    const [first, second] = await masters();
    assert.ok(first !== undefined && second !== undefined);
    await vscode.rowMenu('Sandbox', 'Reshard…');
    await vscode.pick(first.address);
    await vscode.pickMany([second.address]);
    await vscode.typeInput('99999');
    assert.match(await vscode.promptText(), /slots/);
    await vscode.typeInput('10');
    const dialog = await vscode.dialogText();
    assert.match(dialog, /Reshard 10 slots to/);
    assert.match(dialog, /1 step/);
    await vscode.screenshot('reshard-dialog');
    await vscode.pressDialog('Reshard');
    const slots = (node: NodeResult | undefined): number =>
      node === undefined ? 0 : countSlots(parseSlots(node.slots));
    const before = slots(first);
    const end = Date.now() + 20_000;
    while (slots((await masters()).find((node) => node.id === first.id)) !== before + 10) {
      assert.ok(Date.now() < end, 'The slots were not moved within 20 s.');
      await delay(200);
    }
  });

  test('refusals are clear and change nothing', async () => {
    const [first, second] = await masters();
    assert.ok(first !== undefined && second !== undefined);
    const replica = (await snapshot()).cluster.nodes.find((node) => node.role === 'replica');
    const before = JSON.stringify((await snapshot()).cluster.shards);
    const refusals: readonly [object, RegExp][] = [
      [{ from: 'all', to: first.id, slots: '16384' }, /out of range/],
      [{ from: 'all', to: replica?.id, slots: 10 }, /is a replica/],
      [{ from: [first.id], to: first.id, slots: 10 }, /itself/],
      [{ from: 'all', to: 'nobody', slots: 10 }, /no node/],
      [{ from: [second.id], to: first.id, slots: 100_000 }, /slots/],
    ];
    for (const [request, message] of refusals) {
      const result = await vscode.command<Result>('redisCluster.reshard', {
        cluster,
        confirmed: true,
        ...request,
      });
      assert.equal(result.outcome, 'refused', JSON.stringify(request));
      assert.match(result.message, message);
    }
    assert.equal(JSON.stringify((await snapshot()).cluster.shards), before);
  });

  test('from a row, slots that nobody serves are assigned again, with their keys', async () => {
    // One master's, wherever the moves before have left them.
    const ranges = parseSlots((await masters())[0]?.slots ?? '');
    const [, last] = ranges.reduce((wide, range) => (range[1] - range[0] > wide[1] - wide[0] ? range : wide));
    await loseSlots(vscode, cluster, last - 99, last);
    for (const argument of [{ cluster }, { ...cluster }]) {
      const asked = vscode.command<Result>('redisCluster.fix', argument);
      assert.match(await vscode.dialogText(), /Fix Sandbox: assign 100 slots/);
      await vscode.pressDialog('Cancel');
      assert.equal((await asked).outcome, 'cancelled');
    }
    await vscode.rowMenu('Sandbox', 'Fix Uncovered Slots…');
    const dialog = await vscode.dialogText();
    assert.match(dialog, /Fix Sandbox: assign 100 slots/);
    assert.match(
      dialog,
      new RegExp(`takes 100 slots \\(${last - 99}-${last}\\), .* \\(it holds \\d+ keys in them\\)`),
    );
    await vscode.screenshot('fix-dialog');
    await vscode.pressDialog('Fix');
    const end = Date.now() + 20_000;
    for (;;) {
      const check = await vscode.command<CheckResult>('redisCluster.check', { cluster });
      if (check.ok) {
        assert.match(check.text, /\[OK\] 10000 keys in 3 masters\./);
        break;
      }
      assert.ok(Date.now() < end, check.text);
      await delay(500);
    }
    const again = await vscode.command<Result>('redisCluster.fix', { cluster });
    assert.equal(again.outcome, 'refused');
    assert.match(again.message, /All hash slots .* are served/);
  });

  test('by argument too, all keys are deleted only after the name was typed', async () => {
    await vscode.treeRow(/Fix Sandbox/).waitFor({ state: 'detached', timeout: 20_000 });
    for (const argument of [{ cluster }, { ...cluster }]) {
      const asked = vscode.command<Result>('redisCluster.flush', argument);
      assert.match(await vscode.dialogText(), /All 10,000 keys/);
      await vscode.pressDialog('Flush');
      await vscode.page.locator('.quick-input-widget').waitFor();
      await vscode.page.keyboard.press('Escape');
      assert.equal((await asked).outcome, 'cancelled');
    }
    const check = await vscode.command<CheckResult>('redisCluster.check', { cluster });
    assert.match(check.text, /\[OK\] 10000 keys in 3 masters\./);
  });

  test('a replica that copies from another master says how much it has, and so does the operation', async () => {
    // What was fixed is checked before the operation says that it has ended.
    await vscode.treeRow(/Fix Sandbox/).waitFor({ state: 'detached', timeout: 20_000 });
    const { nodes, shards } = (await snapshot()).cluster;
    const [own, other] = shards;
    const replica = nodes.find(({ id }) => id === own?.replicas[0]);
    const master = nodes.find(({ id }) => id === other?.master);
    assert.ok(replica !== undefined && master !== undefined);
    const times = { connectTimeoutMs: 2000, commandTimeoutMs: 2000 };
    const connection = await connectNode(parseAddress(master.address), {}, times);
    // Microseconds for each of some three thousand keys that it sends.
    await connection.call('CONFIG', 'SET', 'rdb-key-save-delay', 3000);
    const moved = vscode.command<Result>('redisCluster.replicate', {
      ...{ cluster, node: replica.id, master: master.id },
      confirmed: true,
    });
    await vscode.treeRow(/copying from its master, [\d.]+ (Ki)?B so far/).waitFor({ timeout: 30_000 });
    await vscode.treeRow(/copying, [\d.]+ (Ki)?B so far/).waitFor({ timeout: 5_000 });
    await vscode.screenshot('copying-dark');
    await vscode.setTheme('light');
    await vscode.screenshot('copying-light');
    await vscode.setTheme('dark');
    const result = await moved;
    assert.equal(result.outcome, 'done', result.message);
    await connection.call('CONFIG', 'SET', 'rdb-key-save-delay', 0);
    connection.close();
    const after = (await snapshot()).cluster.shards.find((shard) => shard.master === master.id);
    assert.ok(after?.replicas.includes(replica.id));
  });

  test('stopping it takes it out of the tree', async () => {
    const result = await vscode.command<Result>('redisCluster.stopSandbox');
    assert.equal(result.outcome, 'done');
    await vscode.treeRow('Sandbox').waitFor({ state: 'detached' });
  });
});
