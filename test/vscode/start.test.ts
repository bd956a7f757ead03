import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { ensureChromium } from '../../scripts/vscode/packages.ts';
import { resultPath } from '../support/vscode/failures.ts';
import { treeOf } from '../support/vscode/tree.ts';

const root = join(import.meta.dirname, '../..');
/** A loaded machine is slow to build, and slower to open the workbench; about ten seconds each are usual. */
const startLimitMs = 180_000;
const stopLimitMs = 15_000;
/** Nobody is left to stop in good order: the supervisors' own limits, five seconds, and a slow machine. */
const killedLimitMs = 10_000;
const browserFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--no-proxy-server',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Tells it from a later process of the same id. */
  readonly started: string;
  readonly command: string;
}

/** A running `npm start`, as its user sees it. */
interface Started {
  readonly npm: ChildProcess;
  readonly group: number;
  readonly url: string;
  readonly ports: readonly number[];
  readonly temporary: string;
  readonly output: () => string;
}

/** What this test's own runner put into the environment is taken out of it again, and a screen, where there is one. */
function userEnvironment(temporary: string): NodeJS.ProcessEnv {
  const ofRunner =
    /^(CI|DISPLAY|WAYLAND_DISPLAY|NODE_.*|npm_.*|INIT_CWD|VSCODE_.*|REDIS_CLUSTER_SANDBOX|TEST_.*)$/;
  const own = Object.entries(process.env).filter(([name]) => !ofRunner.test(name));
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const path = folders.filter((folder) => !folder.includes('node_modules')).join(delimiter);
  return { ...Object.fromEntries(own), PATH: path, TMPDIR: temporary };
}

/** Process groups and folders of all that was started here. */
const begun: { readonly group: number; readonly temporary: string }[] = [];

function stopWhatIsLeft(): void {
  for (const { group } of begun) signal(-group, 'SIGTERM');
}

// Also when the tests themselves are interrupted: what runs in a group of its own hears nothing of that.
process.on('exit', stopWhatIsLeft);
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => process.exit(1));

async function npmStart(): Promise<Started> {
  const temporary = await mkdtemp(join(tmpdir(), 'start-test-'));
  const npm = spawn('npm', ['start'], {
    ...{ cwd: root, detached: true, env: userEnvironment(temporary) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const group = npm.pid;
  assert.ok(group !== undefined, 'npm cannot be run');
  begun.push({ group, temporary });
  let output = '';
  const read = (chunk: Buffer) => {
    output += chunk.toString();
  };
  npm.stdout.on('data', read);
  npm.stderr.on('data', read);
  const end = Date.now() + startLimitMs;
  while (!output.includes('Ctrl-C stops everything')) {
    if (npm.exitCode !== null || Date.now() > end) {
      assert.fail(`npm start did not say that it is running:\n${output}`);
    }
    await delay(50);
  }
  const url = /http:\/\/127\.0\.0\.1:\d+\/\S+/.exec(output)?.[0] ?? '';
  const ports = (/127\.0\.0\.1, ports ([\d ]+)/.exec(output)?.[1] ?? '').split(' ').map(Number);
  return { ...{ npm, group, url, ports, temporary }, output: () => output };
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** Everything that `npm start` started, and what that started. Empty where there is no /proc, as on macOS. */
async function descendants(of: number): Promise<readonly Process[]> {
  const all = await processes();
  const found: Process[] = all.filter(({ pid }) => pid === of);
  for (const { pid } of found) found.push(...all.filter(({ parent }) => parent === pid));
  return found;
}

async function processes(): Promise<readonly Process[]> {
  const names = await readdir('/proc').catch(() => []);
  const all = await Promise.all(names.filter((name) => /^\d+$/.test(name)).map(readProcess));
  return all.filter((one) => one !== undefined);
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the name may hold anything, fields count from behind it. */
async function readProcess(name: string): Promise<Process | undefined> {
  const text = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
  const [state, parent, ...more] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (text === '' || state === 'Z') return undefined;
  const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
  return {
    ...{ pid: Number(name), parent: Number(parent), started: more[17] ?? '' },
    command: command.replaceAll('\0', ' ').trim(),
  };
}

async function refuses(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return await once(socket, 'connect').then(
    () => {
      socket.destroy();
      return false;
    },
    () => true,
  );
}

/** What is still there of a run that should be gone. */
async function remains({ url, ports, temporary }: Started, known: readonly Process[]): Promise<string[]> {
  const now = await processes();
  const alive = known.filter(({ pid, started }) =>
    now.some((one) => one.pid === pid && one.started === started),
  );
  const served = await Promise.all(
    [...ports, Number(new URL(url).port)].map(async (port) => {
      return (await refuses(port)) ? [] : [`127.0.0.1:${port} answers`];
    }),
  );
  const files = (await readdir(temporary)).filter((name) => name !== 'node-compile-cache');
  return [...alive.map(({ pid, command }) => `${pid} ${command}`), ...served.flat(), ...files];
}

async function assertGone(started: Started, known: readonly Process[], limitMs: number): Promise<void> {
  const end = Date.now() + limitMs;
  let left = await remains(started, known);
  while (left.length > 0) {
    if (Date.now() > end) assert.fail(`still there after ${limitMs / 1000} s:\n${left.join('\n')}`);
    await delay(100);
    left = await remains(started, known);
  }
}

describe('npm start', { timeout: 15 * 60_000 }, () => {
  let executablePath: string;
  before(async () => {
    executablePath = await ensureChromium(console.log);
  });
  after(async () => {
    stopWhatIsLeft();
    for (const { temporary } of begun) {
      await rm(temporary, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 });
    }
  });

  test('shows the sandbox in VS Code without being asked, and Ctrl-C stops all of it', async (context) => {
    const started = await npmStart();
    const lines = started.output().slice(started.output().indexOf('Redis Cluster for Kubernetes is')).trim();
    assert.ok(lines.split('\n').length <= 24, lines);
    assert.equal(started.ports.length, 6);
    const browser = await chromium.launch({ executablePath, args: browserFlags });
    try {
      const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
      await page.goto(started.url, { timeout: startLimitMs });
      const tree = treeOf(page);
      await tree
        .treeRow('Sandbox')
        .waitFor({ timeout: startLimitMs })
        .catch(async (error: unknown) => {
          await page.screenshot({ path: await resultPath('start-failed.png') });
          throw error;
        });
      for (const shard of ['Shard 1', 'Shard 2', 'Shard 3']) await tree.treeRow(shard).waitFor();
      // VS Code's own questions come a moment after the window.
      await delay(2000);
      assert.equal(await page.locator('.notification-toast').count(), 0, 'VS Code asks something');
      await page.screenshot({ path: await resultPath('start.png') });
    } finally {
      await browser.close();
    }
    const known = await descendants(started.group);
    const ended = once(started.npm, 'exit');
    const asked = Date.now();
    signal(-started.group, 'SIGINT');
    await delay(300);
    // Impatience must not interrupt the stopping.
    signal(-started.group, 'SIGINT');
    await Promise.race([ended, delay(stopLimitMs)]);
    context.diagnostic(`stopped after ${Date.now() - asked} ms`);
    assert.ok(started.npm.exitCode !== null || started.npm.signalCode !== null, started.output());
    assert.match(started.output(), /Everything that was started has been stopped\.\n$/);
    assert.equal(signal(-started.group, 0), false, 'the process group is still there');
    await assertGone(started, known, 0);
  });

  test('two at the same time do not meet, and each ends with whatever of it is killed', async () => {
    const [first, second] = await Promise.all([npmStart(), npmStart()]);
    assert.notEqual(first.url, second.url);
    assert.equal(new Set([...first.ports, ...second.ports]).size, 12);
    const ofFirst = await descendants(first.group);
    signal(first.group, 'SIGKILL');
    await assertGone(first, ofFirst, killedLimitMs);
    for (const port of second.ports) assert.equal(await refuses(port), false, `${port} has ended, too`);
    const ofSecond = await descendants(second.group);
    const main = ofSecond.find(({ command }) => command.endsWith('scripts/start.ts'));
    // Where processes cannot be listed, the whole group stands for the one.
    signal(main?.pid ?? -second.group, 'SIGKILL');
    await assertGone(second, ofSecond, killedLimitMs);
  });
});
