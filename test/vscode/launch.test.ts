import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { keepOnFailure, launchVSCode, type VSCodeUnderTest } from '../support/launchVSCode.ts';

const extensionPath = fileURLToPath(new URL('../support/vscode/fixture', import.meta.url));

describe('a launched VS Code', { timeout: 20 * 60_000 }, () => {
  let vscode: VSCodeUnderTest;
  before(async () => {
    vscode = await launchVSCode({
      extensionPath,
      settings: { 'editor.tabSize': 7 },
      env: { LAUNCH_FIXTURE: 'given' },
      log: (line) => {
        console.log(line);
      },
    });
    await vscode.command('workbench.view.extension.launchFixture');
  });
  after(() => vscode.close());
  keepOnFailure(() => vscode);
  /** What is clicked in the window happens a moment later in the extension host. */
  const happened = async (event: string) => {
    for (const until = Date.now() + 5000; Date.now() < until; await delay(50)) {
      if ((await vscode.command<string[]>('launchFixture.events')).includes(event)) return;
    }
    assert.fail(`In five seconds this did not happen: ${event}`);
  };

  test('evaluates functions in its extension host', async () => {
    assert.equal(await vscode.evaluate((_, { a, b }) => a + b, { a: 1, b: 2 }), 3);
    assert.equal(await vscode.evaluate((api) => api.workspace.workspaceFolders?.length), 1);
    assert.equal(await vscode.evaluate((api) => api.workspace.getConfiguration('editor').get('tabSize')), 7);
    assert.equal(await vscode.command('launchFixture.environment', 'LAUNCH_FIXTURE'), 'given');
    await assert.rejects(
      vscode.evaluate(() => {
        throw new Error('as told');
      }),
      { message: 'as told' },
    );
    await assert.rejects(vscode.command('launchFixture.none'), /launchFixture\.none/);
  });

  test('shows, expands and commands the rows of a tree', async () => {
    await vscode.treeRow('Pears').waitFor();
    assert.deepEqual(await vscode.rowTexts(), ['Apples 6 letters', 'Pears 5 letters']);
    await vscode.expandRow('Apples');
    await vscode.treeRow(/^Gala.*4 letters/).waitFor();
    assert.equal((await vscode.rowTexts()).length, 4);
    await vscode.clickRow('Cox');
    await vscode.rowMenu('Pears', 'Eat');
    await happened('eat Pears');
  });

  test('answers what a command from the palette asks', async () => {
    await vscode.palette('Launch Fixture: Ask Questions');
    await vscode.typeInput('Cox');
    await vscode.pick('Large');
    assert.match(await vscode.dialogText(), /Eat Cox\?[^]*It will be gone\./);
    await vscode.screenshot('launch-dialog');
    await vscode.pressDialog('Eat It');
    await vscode.page.getByText('Eaten.').first().waitFor();
    assert.deepEqual(await vscode.notifications(), ['Eaten.']);
    await vscode.pressNotification('Eaten.', 'Thanks');
    await happened('Eat It Cox Large');
    await happened('Thanks');
  });

  test("reaches a webview's script, canvas and messages", async () => {
    await vscode.palette('Launch Fixture: Open Canvas');
    const frame = await vscode.webview('Canvas Page');
    await frame.getByText('the host has the pixel').waitFor();
    await happened('pixel 200,30,30,255');
  });

  test('takes pictures in every kind of theme', async () => {
    for (const kind of ['light', 'dark', 'highContrast', 'highContrastLight'] as const) {
      await vscode.setTheme(kind);
      const path = await vscode.screenshot(`launch-${kind}`);
      assert.ok((await stat(path)).size > 10_000);
    }
  });
});

test('a closed VS Code leaves nothing behind', { timeout: 5 * 60_000 }, async () => {
  const vscode = await launchVSCode({ extensionPath });
  const [home, pid] = await vscode.evaluate(
    () => [process.env['EXTENSION_TEST_SOCKET'] ?? '', process.pid] as const,
  );
  assert.ok(existsSync(home));
  await vscode.close();
  assert.ok(!existsSync(home));
  assert.throws(() => process.kill(pid, 0));
});
