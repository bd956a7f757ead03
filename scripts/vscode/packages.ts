import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What compiling the browser-served VS Code's native modules takes on Debian and its children. */
const buildPackages = ['libkrb5-dev', 'pkg-config', 'g++', 'make', 'python3'];
const browserNames = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'microsoft-edge',
];
const macBrowsers = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
];

/** The full path of a program on the PATH. */
export function onPath(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * A C++ compiler and what goes with it, installed by apt where there is apt.
 * @throws Error naming what to install, in one line.
 */
export async function ensureBuildTools(log: (line: string) => void): Promise<void> {
  if (onPath('apt-get') !== undefined) {
    await aptInstall(await missingPackages(buildPackages), log);
    return;
  }
  const missing = ['make', 'python3', 'pkg-config'].filter((name) => onPath(name) === undefined);
  if (onPath('g++') === undefined && onPath('clang++') === undefined) missing.unshift('a C++ compiler');
  if (missing.length > 0) {
    throw new Error(
      `To build the browser-served VS Code, install ${missing.join(', ')} and Kerberos headers.`,
    );
  }
}

/**
 * A Chromium-like browser for the tests: CHROMIUM_EXECUTABLE, one that is installed, or Debian's package.
 * @throws Error naming what to install, in one line.
 */
export async function ensureChromium(log: (line: string) => void): Promise<string> {
  const given = process.env['CHROMIUM_EXECUTABLE'];
  if (given !== undefined) return given;
  const found = findChromium();
  if (found !== undefined) return found;
  if (onPath('apt-get') !== undefined) await aptInstall(['chromium'], log);
  const installed = findChromium();
  if (installed !== undefined) return installed;
  throw new Error('The tests need a browser: install Chromium or Chrome, or set CHROMIUM_EXECUTABLE.');
}

function findChromium(): string | undefined {
  const named = browserNames.map(onPath).find((path) => path !== undefined);
  return named ?? macBrowsers.find((path) => existsSync(path));
}

async function missingPackages(names: readonly string[]): Promise<readonly string[]> {
  const installed = await Promise.all(names.map(isInstalled));
  return names.filter((_, index) => installed[index] === false);
}

async function isInstalled(name: string): Promise<boolean> {
  const status = await run('dpkg-query', ['-W', '-f=${Status}', name]).catch(() => undefined);
  return status?.stdout.includes('install ok installed') === true;
}

async function aptInstall(names: readonly string[], log: (line: string) => void): Promise<void> {
  if (names.length === 0) return;
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const list = names.join(' ');
  log(`Installing Debian packages: ${list}`);
  const failed = new Error(`These Debian packages are missing: run \`sudo apt-get install ${list}\` first.`);
  // Without an update the versions that a stale package list names may no longer be there; an update that fails may not matter.
  await apt([...asRoot, 'apt-get', 'update']).catch(() => undefined);
  await apt([
    ...asRoot,
    'apt-get',
    'install',
    '-y',
    '-o',
    'DPkg::Lock::Timeout=300',
    '--no-install-recommends',
    ...names,
  ]).catch((error: unknown) => {
    failed.cause = error;
    throw failed;
  });
}

async function apt([command = '', ...args]: readonly string[]): Promise<void> {
  const child = spawn(command, args, {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-2000);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`apt-get ended with ${code ?? 'a signal'}: ${errors.trimEnd()}`);
}
