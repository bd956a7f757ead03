import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { serveVSCode } from '../../scripts/vscode/serve.ts';
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
    const until = Date.now() + 15_000;
    while (Date.now() < until) {
      if ((await vscode.command<string[]>('launchFixture.events')).includes(event)) return;
      await delay(50);
    }
    assert.fail(`In 15 seconds this did not happen: ${event}`);
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
    // A notification is read out before it can be seen.
    while ((await vscode.notifications()).length === 0) await delay(50);
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

describe('a launched VS Code ends', { timeout: 5 * 60_000 }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'launch-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('when closed, after the extension has deactivated, and leaves nothing behind', async () => {
    const mark = join(folder, 'mark');
    const vscode = await launchVSCode({ extensionPath, env: { LAUNCH_FIXTURE_MARK: mark } });
    const [socket, pid] = await vscode
      .evaluate((api) => api.extensions.getExtension('kubernetes-redis-cluster.launch-fixture')?.activate())
      .then(() => vscode.evaluate(socketAndPid))
      .finally(() => vscode.close());
    assert.ok(existsSync(mark));
    assert.ok(!existsSync(dirname(socket)));
    assert.throws(() => process.kill(pid, 0));
  });

  test('when the process that launched it is killed', async () => {
    const launcher = join(folder, 'launcher.mjs');
    await writeFile(
      launcher,
      `import { launchVSCode } from ${JSON.stringify(import.meta.resolve('../support/launchVSCode.ts'))};
       const vscode = await launchVSCode({ extensionPath: ${JSON.stringify(extensionPath)} });
       console.log(JSON.stringify(await vscode.evaluate(${socketAndPid.toString()})));`,
    );
    const child = spawn(process.execPath, [launcher], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const [socket, pid] = JSON.parse(line.toString()) as [string, number];
    assert.ok(process.kill(pid, 0));
    child.kill('SIGKILL');
    for (let waited = 0; existsSync(dirname(socket)) && waited < 20_000; waited += 100) await delay(100);
    assert.ok(!existsSync(dirname(socket)));
    assert.throws(() => process.kill(pid, 0));
  });
});

describe('a served VS Code', { timeout: 20 * 60_000 }, () => {
  let dataDir: string;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'serve-'));
  });
  after(() => rm(dataDir, { recursive: true, force: true }));

  test('opens for who has its address, and for nobody else', async () => {
    const log = () => undefined;
    const served = await serveVSCode({ extensionPath, folder: dataDir, dataDir, env: {}, log });
    try {
      const { href, origin } = new URL(served.url);
      assert.equal((await fetch(origin)).status, 403);
      const answer = await fetch(href, { redirect: 'manual' });
      assert.equal(answer.status, 302);
      const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
      assert.match(await (await fetch(origin, { headers: { cookie } })).text(), /workbench/);
    } finally {
      await served.stop();
    }
    await assert.rejects(fetch(served.url));
  });
});

function socketAndPid(): readonly [string, number] {
  return [process.env['EXTENSION_TEST_SOCKET'] ?? '', process.pid];
}
