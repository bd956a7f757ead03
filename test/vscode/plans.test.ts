import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { countSlots, subtractSlots } from '../../src/model/slots.ts';
import { dumpAll, fill } from '../support/redis/fill.ts';
import {
  assertNoneOpen,
  assertWhole,
  move,
  nodeAt,
  plainWrites,
  viewOf,
} from '../support/redis/moveFixture.ts';
import { assertAccessible } from '../support/vscode/accessible.ts';
import { keepOnFailure, launchVSCode, type VSCodeUnderTest } from '../support/launchVSCode.ts';
import { startRedisCluster, type ClusterNode, type TestCluster } from '../support/startRedisCluster.ts';
import { eventually } from '../support/vscode/kubernetesAccess.ts';
import { pausedMoveOf } from '../support/vscode/pausedMove.ts';
import { personAt } from '../support/vscode/person.ts';
import type { Result, SnapshotResult } from '../support/vscode/results.ts';

const extensionPath = fileURLToPath(new URL('../..', import.meta.url));
const keys = 30_000;

describe('plans in VS Code', { timeout: 20 * 60_000 }, () => {
  let servers: TestCluster;
  let vscode: VSCodeUnderTest;
  let keysBefore: ReadonlyMap<string, string>;
  let saved: string;
  before(async () => {
    const config = { 'cluster-node-timeout': '15000', 'cluster-allow-replica-migration': 'no' };
    servers = await startRedisCluster({ config });
    await fill(servers, plainWrites(keys));
    keysBefore = await dumpAll(servers);
    vscode = await launchVSCode({
      extensionPath,
      // The servers outlive the extension host, as those of `npm start` do.
      env: { KUBECONFIG: '/nonexistent/kubeconfig', REDIS_CLUSTER_SANDBOX: servers.addresses.join(',') },
      log: console.log,
    });
    await vscode.setTheme('dark');
    await vscode.command('workbench.view.extension.redisCluster');
    await vscode.treeRow(/Sandbox.*healthy/).waitFor({ timeout: 60_000 });
  });
  after(async () => {
    await vscode.close();
    await servers.stop();
  });
  keepOnFailure(() => vscode);
  const { picture, asked, dialog, told } = personAt(() => vscode);
  const addressOf = ({ host, port }: ClusterNode): string => `${host}:${port}`;
  const slotsOf = async (index: number): Promise<number> =>
    countSlots((await viewOf(servers, nodeAt(servers, index))).self.slots);
  const setting = (name: string, value: unknown): Promise<void> =>
    vscode.evaluate(
      async ({ workspace, ConfigurationTarget }, given) => {
        await workspace
          .getConfiguration('redisCluster')
          .update(given.name, given.value, ConfigurationTarget.Global);
      },
      { name, value },
    );
  const pressLens = (title: string): Promise<void> =>
    vscode.page.locator('.codelens-decoration a').filter({ hasText: title }).first().click();
  const { limitMemory, beginPaused, whileOpen, isHeld } = pausedMoveOf(
    () => servers,
    () => vscode,
  );
  const openText = (): Promise<string> =>
    vscode.evaluate(({ window }) => window.activeTextEditor?.document.getText() ?? '');
  const quiet = async (): Promise<void> => {
    await vscode.command('workbench.action.closeAllEditors');
    await vscode.command('notifications.clearAll');
  };

  test('the plan of a reshard says what will move, how, and where it pauses and ends', async () => {
    await setting('move.limits.latencyMs', 200);
    await setting('move.limits.until', '06:00');
    await vscode.rowMenu('Sandbox', 'Reshard…');
    await asked(/master to move slots to/);
    await vscode.pick(addressOf(nodeAt(servers, 1)));
    await asked(/masters to move slots from/);
    await vscode.pickMany([addressOf(nodeAt(servers, 0)), addressOf(nodeAt(servers, 2))]);
    await asked(/Enter a number of slots/);
    await vscode.typeInput('1000');
    const text = await dialog();
    assert.match(text, /Reshard 1,000 slots to/);
    assert.match(text, /Sandbox · \S+ and 5 others/);
    assert.match(text, /Pauses while clients wait more than 200 ms\. Stops on .+06:00/);
    await picture('plan-dialog');
    await vscode.setTheme('highContrast');
    await vscode.screenshot('plan-dialog-hc');
    await vscode.setTheme('dark');
    await vscode.pressDialog('Show Plan');
    assert.match(await dialog(), /Reshard 1,000 slots to/);
    assert.match(await openText(), /1\. Move .* slots/);
    await vscode.screenshot('plan-shown-dark');
  });

  test('Save Plan… writes a file, and opens it with what can be done with it above it', async () => {
    await vscode.pressDialog('Save Plan…');
    await asked(/Save Plan/);
    const name = vscode.page.locator('.quick-input-widget:visible .quick-input-filter input.input');
    await eventually('the name of the file', 20, async () =>
      (await name.inputValue()).endsWith('.redisplan.json'),
    );
    await vscode.screenshot('plan-save-dark');
    await vscode.page.keyboard.press('Enter');
    await vscode.page.locator('.codelens-decoration a').first().waitFor();
    saved = await vscode.evaluate(({ window }) => window.activeTextEditor?.document.fileName ?? '');
    assert.match(saved, /\/reshard-Sandbox\.redisplan\.json$/);
    assert.match(await readFile(saved, 'utf8'), /"latencyMs": 200,/);
    await picture('plan-file');
    await vscode.setTheme('highContrast');
    await vscode.screenshot('plan-file-hc');
    await vscode.setTheme('dark');
    assert.equal(await slotsOf(1), 5462);
  });

  test('a saved plan is tried, copied and run from above its file', async () => {
    await pressLens('Dry Run');
    await eventually('the dry run', 20, async () => (await openText()).includes('could start now'));
    await picture('plan-dry-run');
    await vscode.page.getByRole('tab', { name: /redisplan\.json/ }).click();
    await pressLens('Copy as redis-cli');
    await told(/to the clipboard/, 20);
    await pressLens('Run');
    assert.match(await dialog(), /Pauses while clients wait more than 200 ms/);
    await picture('plan-run');
    await vscode.pressDialog('Run');
    await told(/2 of 2 steps/, 60);
    await picture('plan-done');
    assert.deepEqual([await slotsOf(0), await slotsOf(1), await slotsOf(2)], [4961, 6462, 4961]);
  });

  test('a plan that was overtaken by events is refused, with what has changed', async () => {
    await vscode.command('notifications.clearAll');
    await pressLens('Run');
    await told(/has changed since the plan was saved/, 20);
    await picture('plan-overtaken');
    const result = await vscode.command<Result>('redisCluster.runPlan', { file: saved, confirmed: true });
    assert.equal(result.outcome, 'refused');
    assert.match(result.message, /now owns slots .*, not .*Nothing was changed\. Create a new plan/);
    await quiet();
  });

  test('limits that cannot be meant are refused by name, in arguments and in settings', async () => {
    const reshard = (more: object): Promise<Result> =>
      vscode.command<Result>('redisCluster.reshard', {
        ...{ cluster: { addresses: servers.addresses }, from: 'all', to: nodeAt(servers, 1).id, slots: 10 },
        ...more,
      });
    const cases: readonly [unknown, RegExp][] = [
      [{ latencyMs: -1 }, /"limits\.latencyMs" must be a number of milliseconds above 0/],
      [{ memoryPercent: '80' }, /"limits\.memoryPercent" must be a number of percent/],
      [{ until: '2020-01-01T06:00:00Z' }, /"limits\.until" \(.*Jan 1.*\) must be a time in the future/],
      [{ pauseMs: 1 }, /"limits\.pauseMs" must be one of these limits: latencyMs/],
      ['none', /"limits" must be an object of latencyMs/],
    ];
    for (const [limits, message] of cases) {
      const { outcome, message: said } = await reshard({ limits });
      assert.equal(outcome, 'refused', said);
      assert.match(said, message);
    }
    await setting('move.limits.until', '6 o’clock');
    assert.match(
      (await reshard({})).message,
      /setting redisCluster\.move\.limits\.until must be a time of day/,
    );
    await setting('move.limits.until', undefined);
    await setting('move.limits.latencyMs', undefined);
    await quiet();
    assert.equal(await slotsOf(1), 6462);
  });

  test('the slot map says what runs and how far it is, keeps its order, and cancels by keyboard', async () => {
    const slotsStarted = (await viewOf(servers, nodeAt(servers, 1))).self.slots;
    await beginPaused();
    const open = { cluster: { addresses: servers.addresses } };
    await vscode.command('redisCluster.openSlotMap', open);
    const page = await vscode.webview(/^Slot Map/);
    const bar = page.locator('section.running');
    await bar.getByText('Paused: the target uses').waitFor();
    assert.match((await bar.textContent()) ?? '', /Reshard 3,000 slots.*0 of 3,000 slots · 0%/);
    await picture('running-paused');
    await assertAccessible(vscode);
    const cards = (): Promise<readonly string[]> => page.locator('[data-shard-id] .name').allTextContents();
    const order = await cards();
    await whileOpen(() =>
      page.getByRole('button', { name: /slots? moving now/ }).waitFor({ timeout: 20_000 }),
    );
    await bar.getByText('Paused: the target uses').waitFor({ timeout: 20_000 });
    await vscode.treeRow(/Sandbox.*\d+% Reshard \(paused\) · healthy/).waitFor();
    await picture('running');
    assert.deepEqual(await cards(), order);
    assert.equal(await page.locator('ul.problems li:not(.note)').count(), 0);
    const slotsBefore = await slotsOf(1);
    await bar.locator('vscode-button').focus();
    await vscode.page.keyboard.press('Enter');
    await bar.waitFor({ state: 'hidden', timeout: 20_000 });
    await limitMemory('0');
    await assertNoneOpen(servers, servers.nodes);
    assert.equal(await slotsOf(1), slotsBefore);
    await vscode.rowAction(/Not finished: Reshard 3,000 slots/, 'Dismiss');
    await quiet();
    const arrived = subtractSlots((await viewOf(servers, nodeAt(servers, 1))).self.slots, slotsStarted);
    await move(servers, arrived, { from: nodeAt(servers, 1).id, to: nodeAt(servers, 0).id });
  });

  test('a move that pauses says why on its row, and is stopped from there', async () => {
    await beginPaused();
    await picture('operation-paused');
    const refused = await vscode.evaluate<Result, object>(
      ({ commands }, argument) => commands.executeCommand('redisCluster.forget', argument),
      { cluster: { addresses: servers.addresses }, node: nodeAt(servers, 0).id },
    );
    assert.match(refused.message, /Nothing was changed\. 1 operation is running: Reshard 3,000 slots/);
    await vscode.rowAction(/Reshard 3,000 slots/, 'Cancel Operation');
    await vscode.treeRow(/Not finished: Reshard 3,000 slots/).waitFor({ timeout: 20_000 });
    await picture('operation-unfinished');
    await vscode.rowAction(/Not finished: Reshard 3,000 slots/, 'Dismiss');
    await vscode.treeRow(/Reshard 3,000 slots/).waitFor({ state: 'detached', timeout: 20_000 });
    await assertNoneOpen(servers, servers.nodes);
    assert.equal(await slotsOf(1), 6462);
  });

  test('a window that is reloaded in the middle leaves no slot open, and offers to resume', async (context) => {
    const slotsBefore = (await viewOf(servers, nodeAt(servers, 1))).self.slots;
    await beginPaused();
    await limitMemory('0');
    await eventually('the first slots have moved', 20, async () => (await slotsOf(1)) > 6462);
    await limitMemory('100mb');
    await vscode.treeRow(/Paused · [\d,]+ of 3,000 slots/).waitFor({ timeout: 20_000 });
    const began = performance.now();
    await vscode.evaluate(({ commands }) => {
      void commands.executeCommand('workbench.action.reloadWindow');
    });
    await eventually('the operation has ended', 10, async () => !(await isHeld()));
    context.diagnostic(`the operation had ended after ${Math.round(performance.now() - began)} ms`);
    const moved = (await slotsOf(1)) - 6462;
    assert.ok(moved > 0 && moved < 3000, `${moved} slots had moved`);
    await assertNoneOpen(servers, servers.nodes);
    await limitMemory('0');
    await told(/VS Code closed before “Reshard 3,000 slots/, 60);
    assert.equal((await slotsOf(1)) - 6462, moved, 'nothing goes on by itself');
    await assertNoneOpen(servers, servers.nodes);
    await vscode.command('workbench.view.extension.redisCluster');
    await vscode.treeRow(/Not finished: Reshard 3,000 slots/).waitFor({ timeout: 20_000 });
    await vscode.pressNotification(/VS Code closed before/, 'Dismiss');
    await vscode.treeRow(/Not finished: Reshard 3,000 slots/).waitFor({ state: 'detached' });
    const arrived = subtractSlots((await viewOf(servers, nodeAt(servers, 1))).self.slots, slotsBefore);
    await move(servers, arrived, { from: nodeAt(servers, 1).id, to: nodeAt(servers, 0).id });
    assert.equal(await slotsOf(1), 6462);
  });

  test('after the extension host was killed in the middle, the next one offers to resume and does', async () => {
    await beginPaused();
    await limitMemory('0');
    await eventually('the first slots have moved', 20, async () => (await slotsOf(1)) > 6462);
    await vscode.evaluate(() => process.kill(process.pid, 'SIGKILL')).catch(() => undefined);
    const moved = (await slotsOf(1)) - 6462;
    assert.ok(moved < 3000, 'all slots had moved before the extension host was killed');
    await told(/VS Code closed before “Reshard/, 90);
    await picture('journal-offer');
    await vscode.pressNotification(/VS Code closed before/, 'Show Details');
    await eventually('the journal', 20, async () => (await openText()).includes('last entry'));
    await told(/VS Code closed before/, 20);
    await picture('journal-shown');
    await vscode.pressNotification(/VS Code closed before/, 'Resume');
    assert.match(await dialog(), /Reshard 3,000 slots/);
    await picture('journal-go-on');
    await vscode.pressDialog('Resume');
    await told(/1 of 1 step/, 60);
    await vscode.screenshot('journal-done-dark');
    assert.equal(await slotsOf(1), 9462);
    await assertNoneOpen(servers, servers.nodes);
    await assertWhole(servers, nodeAt(servers, 0));
    assert.deepEqual(await dumpAll(servers), keysBefore);
  });

  test('a shard whose servers are all gone is given up only by name, once its peers say so', async () => {
    const cluster = { addresses: servers.addresses };
    const dead = nodeAt(servers, 0);
    const views = await Promise.all(servers.nodes.map(async (node) => await viewOf(servers, node)));
    const replicas = servers.nodes.filter((_, index) => views[index]?.self.masterId === dead.id);
    assert.equal(replicas.length, 1);
    await quiet();
    for (const node of [...replicas, dead]) servers.kill(node);
    await vscode.treeRow(/Sandbox.*broken/).waitFor({ timeout: 30_000 });
    await vscode.rowMenu('Sandbox', 'Fix Uncovered Slots…');
    await told(/its peers have not declared it failed/, 20);
    await picture('fix-refused');
    await vscode.command('notifications.clearAll');
    await eventually('the failure is declared', 60, async () => {
      const { nodes } = (await vscode.command<SnapshotResult>('redisCluster.snapshot', { cluster })).cluster;
      return nodes.filter(({ health }) => health === 'failed').length === 2;
    });
    await vscode.rowMenu('Sandbox', 'Fix Uncovered Slots…');
    assert.match(
      await dialog(),
      /Cannot be undone: Keys in slots \S+ that only \S+ has are lost: it deletes them if it returns/,
    );
    assert.match(
      (await vscode.rowTexts()).join('\n'),
      /^Slots, \d,\d+ slots on failed masters · 16,384 covered$/m,
    );
    await picture('fix-lost');
    await vscode.pressDialog('Fix');
    await asked(/cannot be undone: Keys .*Type “Sandbox” to confirm/);
    await picture('fix-word');
    await vscode.typeInput('Sandbox');
    await told(/Sandbox: (\d) of \1 steps? done.*Forget Node/, 60);
    await picture('fix-done');
    assert.equal((await slotsOf(1)) + (await slotsOf(2)), 16_384);
  });
});
