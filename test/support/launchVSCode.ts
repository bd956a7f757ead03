import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach } from 'node:test';
import type { Frame, Page } from 'playwright-core';
import type * as VSCode from 'vscode';
import { findVSCode } from '../../scripts/vscode/find.ts';
import type { ServerVersion } from '../../scripts/vscode/install.ts';
import { writeUserSettings } from '../../scripts/vscode/server.ts';
import { keepLogs, resultPath } from './vscode/failures.ts';
import { type HostBridge, listenForHost } from './vscode/hostBridge.ts';
import {
  type HostOptions,
  openInBrowser,
  openOnDesktop,
  type Screen,
  type WindowUnderTest,
} from './vscode/hosts.ts';
import { type PromptsUnderTest, promptsOf } from './vscode/prompts.ts';
import { setTheme, type ThemeKind } from './vscode/theme.ts';
import { type TreeUnderTest, treeOf } from './vscode/tree.ts';
import { webviewOf } from './vscode/webviews.ts';

/** A busy machine takes long: under ten seconds are usual, half a minute was seen. */
const connectLimitMs = 120_000;
/** VS Code gives extensions five seconds to deactivate. */
const deactivateLimitMs = 8000;
const testSettings = {
  // Drawn by the page instead of the operating system, so that tests can read and press them.
  'window.dialogStyle': 'custom',
  'window.menuStyle': 'custom',
  'window.titleBarStyle': 'custom',
  'window.commandCenter': false,
  'workbench.reduceMotion': 'on',
  'git.enabled': false,
  'remote.autoForwardPorts': false,
  'files.simpleDialog.enable': true,
};
/** Reduced motion leaves these running, which took a third of a processor to draw where there is no graphics card. */
const stillProgress =
  '.progress-bit, .codicon-modifier-spin, .codicon-loading { animation: none !important }';

export interface LaunchOptions {
  /** The folder of a built extension, or a .vsix, which is installed. */
  readonly extensionPath: string;
  /** Folders of extensions beside it. */
  readonly otherExtensions?: readonly string[];
  /** A browser-served VS Code of this version instead of whichever is there. */
  readonly version?: ServerVersion;
  /** The workspace folder; an empty one by default. */
  readonly folder?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** For the extension host and what it starts, above this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly log?: (line: string) => void;
  /** Of a browser window. */
  readonly screen?: Screen;
}

type Body<R, A> = (vscode: typeof VSCode, arg: A) => R | PromiseLike<R>;

/** A real VS Code with the extension in it, as tests see and use it. */
export interface VSCodeUnderTest extends TreeUnderTest, PromptsUnderTest {
  readonly kind: 'desktop' | 'browser';
  /** The workbench window. */
  readonly page: Page;
  /**
   * Runs `body` inside the extension host: it travels as text, so it sees its arguments and nothing of the test's scope.
   * Argument and result travel as JSON.
   * @throws Error with the message of what `body` threw; its stack is the cause.
   */
  evaluate<R>(body: Body<R, undefined>): Promise<R>;
  evaluate<R, A>(body: Body<R, A>, arg: A): Promise<R>;
  /** Executes a command in the extension host. */
  command<R = unknown>(id: string, ...args: readonly unknown[]): Promise<R>;
  /** The extension's document in the visible webview of this title. */
  webview(title: string | RegExp): Promise<Frame>;
  setTheme(kind: ThemeKind): Promise<void>;
  /** Writes test-results/<name>.png and returns its path. */
  screenshot(name: string): Promise<string>;
  /** Copies the logs of the window and its extension host to test-results/<name>-logs. */
  keepLogs(name: string): Promise<void>;
  /** Deactivates the extension, ends everything that was started, removes everything that was written. */
  close(): Promise<void>;
}

/**
 * Starts a VS Code of its own: own user data, own free port, nothing shared with another one on this machine. It ends with
 * this process, even when that is killed.
 * @throws Error when VS Code cannot be had or started; a picture and logs are then in test-results/.
 */
export async function launchVSCode(options: LaunchOptions): Promise<VSCodeUnderTest> {
  const log = options.log ?? (() => undefined);
  const found = await findVSCode(log, options.version);
  const dataDir = await mkdtemp(join(tmpdir(), 'vscode-'));
  const folder = options.folder ?? (await mkdtemp(join(dataDir, 'folder-')));
  const temporary = join(dataDir, 'tmp');
  await mkdir(temporary, { mode: 0o700 });
  await writeUserSettings(dataDir, { ...testSettings, ...options.settings });
  const bridge = await listenForHost(dataDir);
  const hostOptions: HostOptions = {
    ...{ folder, dataDir, log },
    extensions: [options.extensionPath, ...(options.otherExtensions ?? [])],
    env: { TMPDIR: temporary, XDG_RUNTIME_DIR: temporary, ...options.env, ...bridge.env },
    ...(options.screen === undefined ? {} : { screen: options.screen }),
  };
  let window: WindowUnderTest | undefined;
  const close = async () => {
    await window?.leave();
    await bridge.gone(deactivateLimitMs);
    await window?.end();
    bridge.close();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  };
  try {
    window =
      found.kind === 'desktop'
        ? await openOnDesktop(found.executable, hostOptions)
        : await openInBrowser(found.server, hostOptions);
    await hostConnected(bridge, window.page, join(dataDir, 'logs'));
    await window.page.addStyleTag({ content: stillProgress });
  } catch (error) {
    await close();
    throw error;
  }
  return underTest(found.kind, window.page, bridge, { logs: join(dataDir, 'logs'), close });
}

async function hostConnected(bridge: HostBridge, page: Page, logs: string): Promise<void> {
  const timeout = new AbortController();
  const late = delay(connectLimitMs, undefined, { signal: timeout.signal }).then(async () => {
    await page.screenshot({ path: await resultPath('launch-failed.png') });
    await keepLogs(logs, 'launch-failed');
    throw new Error(
      'VS Code opened, but its extension host did not start within two minutes; see test-results/.',
    );
  });
  try {
    await Promise.race([bridge.connected, late]);
  } finally {
    timeout.abort();
    late.catch(() => undefined);
  }
}

function underTest(
  kind: VSCodeUnderTest['kind'],
  page: Page,
  bridge: HostBridge,
  { logs, close }: { readonly logs: string; readonly close: () => Promise<void> },
): VSCodeUnderTest {
  const evaluate = async <R, A>(body: Body<R, A>, arg?: A) =>
    (await bridge.evaluate(body.toString(), arg)) as R;
  return {
    ...{ kind, page, evaluate },
    ...treeOf(page),
    ...promptsOf(page),
    command: async <R>(id: string, ...args: readonly unknown[]) =>
      (await evaluate((vscode, given) => vscode.commands.executeCommand(given.id, ...given.args), {
        id,
        args,
      })) as R,
    webview: (title) => webviewOf(page, title),
    setTheme: (theme) => setTheme(bridge, theme),
    screenshot: async (name) => {
      const path = await resultPath(`${name}.png`);
      await page.screenshot({ path });
      return path;
    },
    keepLogs: (name) => keepLogs(logs, name),
    close,
  };
}

/** Keeps a picture and the logs of every test that fails; call it in the file or suite that launches VS Code. */
export function keepOnFailure(launched: () => VSCodeUnderTest | undefined): void {
  afterEach(async (context) => {
    const vscode = launched();
    if (vscode === undefined || !('passed' in context) || context.passed) return;
    await vscode.screenshot(`failed ${context.name}`);
    await vscode.keepLogs(`failed ${context.name}`);
  });
}
