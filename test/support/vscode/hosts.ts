import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _electron, type BrowserContext, chromium, type Page } from 'playwright-core';
import { ensureChromium } from '../../../scripts/vscode/packages.ts';
import { startVSCodeServer, vscodeEnvironment } from '../../../scripts/vscode/server.ts';

/** The workbench is one large script, which a busy machine takes long to read. */
const gotoLimitMs = 120_000;
const usualScreen: Screen = { width: 1400, height: 900, deviceScaleFactor: 1 };
const bridge = fileURLToPath(new URL('./bridge', import.meta.url));
const chromiumFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Nothing a test sees may depend on a machine elsewhere.
  '--no-proxy-server',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** A signal must end this process: the browser ends when its pipe closes, the server when its supervisor's does. */
const signals = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };

/** What a browser window is shown on; a desktop's is its own. */
export interface Screen {
  readonly width: number;
  readonly height: number;
  /** How many pixels a screenshot has for each of these. */
  readonly deviceScaleFactor: number;
}

/** A VS Code window that has the extension and the bridge. */
export interface WindowUnderTest {
  readonly page: Page;
  /** Tells VS Code to close the window, upon which the extension host deactivates its extensions and ends. */
  leave(): Promise<void>;
  /** Ends what is still there. */
  end(): Promise<void>;
}

export interface HostOptions {
  /** Folders, or packages where VS Code is served to a browser. */
  readonly extensions: readonly string[];
  readonly folder: string;
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
  readonly screen?: Screen;
}

/** VS Code's own server, and its workbench in a headless browser. */
export async function openInBrowser(server: string, options: HostOptions): Promise<WindowUnderTest> {
  const { dataDir, folder, env, log } = options;
  const executablePath = await ensureChromium(log);
  const running = await startVSCodeServer({
    ...{ server, dataDir, folder, env, removeDataDir: true, port: 0 },
    extensions: [...options.extensions, bridge],
  });
  const { deviceScaleFactor, ...viewport } = options.screen ?? usualScreen;
  let browser: BrowserContext | undefined;
  const end = async () => {
    await browser?.close();
    await running.stop();
  };
  try {
    browser = await chromium.launchPersistentContext(join(dataDir, 'browser'), {
      ...{ executablePath, args: chromiumFlags, viewport, deviceScaleFactor, headless: true, ...signals },
    });
    const page = browser.pages()[0] ?? (await browser.newPage());
    await page.goto(running.url, { timeout: gotoLimitMs });
    return { page, leave: () => page.close(), end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** A desktop VS Code; the bridge closes it when this process dies. */
export async function openOnDesktop(executablePath: string, options: HostOptions): Promise<WindowUnderTest> {
  const { dataDir, extensions, folder, env } = options;
  await mkdir(join(dataDir, 'extensions'), { recursive: true });
  const app = await _electron.launch({
    executablePath,
    env: vscodeEnvironment(env) as Record<string, string>,
    args: [
      folder,
      ...[...extensions, bridge].map((path) => `--extensionDevelopmentPath=${path}`),
      `--user-data-dir=${dataDir}`,
      `--extensions-dir=${join(dataDir, 'extensions')}`,
      ...['--no-sandbox', '--disable-gpu', '--disable-updates', '--disable-workspace-trust'],
      ...['--skip-welcome', '--skip-release-notes', '--disable-telemetry', '--force-disable-user-env'],
    ],
  });
  const page = await app.firstWindow();
  return { page, leave: () => page.close(), end: () => app.close() };
}
