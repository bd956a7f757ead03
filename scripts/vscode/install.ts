import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { holdLock, isAlive } from '../lock.ts';
import { nodeOf, nodePath, npm, serverPath } from './npm.ts';
import { ensureBuildTools } from './packages.ts';

const run = promisify(execFile);

/** A browser-served VS Code. */
export interface ServerVersion {
  readonly codeServer: string;
  /** Without these the server does not start, has no terminal, or leaves processes behind. */
  readonly nativeModules: readonly string[];
  /** The Node.js that it came with, where that is not this project's. */
  readonly node?: string;
  /** Dependencies that it takes from GitHub, and their releases in npm's registry. */
  readonly releases?: Readonly<Record<string, string>>;
}

/** Pinned, since its workbench's markup is what the tests click on. */
export const newestServer: ServerVersion = {
  codeServer: '4.139.1',
  nativeModules: ['@vscode/spdlog', '@vscode/native-watchdog', '@parcel/watcher', 'node-pty'],
};
/** The oldest VS Code that package.json's `engines` allows. */
export const oldestServer: ServerVersion = {
  codeServer: '4.105.1',
  nativeModules: ['@vscode/spdlog', 'native-watchdog', '@parcel/watcher', 'node-pty'],
  node: '22.23.3',
  releases: { '@parcel/watcher': '2.5.1' },
};
/** Generous for a slow machine: two to three minutes are usual on two cores. */
const installLimitMs = 20 * 60_000;

/**
 * The folder of an installed browser-served VS Code (the one that holds `out/server-main.js`), installed first if this
 * account has none. Installed beside its place and renamed, so a half-finished one is never found.
 * @throws Error saying what is missing on this machine, or the end of npm's output.
 */
export async function installVSCodeServer(
  log: (line: string) => void,
  version = newestServer,
): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'kubernetes-redis-cluster');
  const target = join(cache, `code-server-${version.codeServer}`);
  const server = join(target, serverPath);
  if (existsSync(target)) return server;
  if (process.platform === 'win32') {
    throw new Error('No VS Code found: set VSCODE_EXECUTABLE to the full path of Code.exe.');
  }
  await mkdir(cache, { recursive: true });
  const release = await holdLock(`${target}.lock`, installLimitMs, log);
  try {
    if (!existsSync(target)) await installAt(target, version, log);
  } finally {
    await release();
  }
  return server;
}

async function installAt(target: string, version: ServerVersion, log: (line: string) => void): Promise<void> {
  await removeAbandoned(dirname(target));
  await ensureBuildTools(log);
  const temporary = await mkdtemp(join(dirname(target), `.installing-${process.pid}-`));
  try {
    await install(temporary, version, log);
    await rename(temporary, target);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Installs of processes that were killed: 600 MB each. */
async function removeAbandoned(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const pid = /^\.installing-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) {
      await rm(join(cache, name), { recursive: true, force: true });
    }
  }
}

async function install(folder: string, version: ServerVersion, log: (line: string) => void): Promise<void> {
  const { codeServer, node, releases } = version;
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  log(`Installing the browser-served VS Code (code-server ${codeServer}): once, 600 MB, about 3 minutes.`);
  const ticker = setInterval(() => {
    log(`  still installing, ${seconds()} s`);
  }, 30_000);
  try {
    // Apart, since npm takes away again what the `node` package installs below itself.
    if (node !== undefined) await npmInstall(folder, join(folder, nodePath), [`node@${node}`]);
    if (releases === undefined) await npmInstall(folder, folder, [`code-server@${codeServer}`]);
    else await installByHand(folder, version, releases);
    await proveNativeModules(join(folder, serverPath), version);
  } finally {
    clearInterval(ticker);
  }
  log(`  installed in ${seconds()} s`);
}

async function npmInstall(folder: string, cwd: string, args: readonly string[]): Promise<void> {
  await mkdir(cwd, { recursive: true });
  await writeFile(join(cwd, 'package.json'), '{ "private": true }\n');
  await npm(folder, cwd, ['install', ...args]);
}

/** What code-server's own install script does, but from npm's registry alone, and only the native modules it needs. */
async function installByHand(
  folder: string,
  { codeServer, nativeModules }: ServerVersion,
  releases: Readonly<Record<string, string>>,
): Promise<void> {
  await npmInstall(folder, folder, ['--ignore-scripts', `code-server@${codeServer}`]);
  const server = join(folder, serverPath);
  const manifest = (await read(join(server, 'package.json'))) as Dependants;
  Object.assign(manifest.dependencies, releases);
  await writeFile(join(server, 'package.json'), JSON.stringify(manifest));
  const locked = (await read(join(server, 'npm-shrinkwrap.json'))) as {
    packages: Record<string, Dependants>;
  };
  Object.assign(locked.packages['']?.dependencies ?? {}, releases);
  for (const name of Object.keys(releases)) Reflect.deleteProperty(locked.packages, `node_modules/${name}`);
  await writeFile(join(server, 'npm-shrinkwrap.json'), JSON.stringify(locked));
  await npm(folder, server, ['install', '--omit=dev', '--ignore-scripts']);
  await npm(folder, server, ['rebuild', ...nativeModules]);
  await symlink('node_modules', join(server, 'node_modules.asar'));
}

interface Dependants {
  readonly dependencies: Record<string, string>;
}

async function read(file: string): Promise<unknown> {
  return JSON.parse(await readFile(file, 'utf8'));
}

async function proveNativeModules(server: string, { nativeModules }: ServerVersion): Promise<void> {
  const source = nativeModules.map((name) => `require(${JSON.stringify(name)});`).join('');
  await run(nodeOf(server), ['-e', source], { cwd: server }).catch((error: unknown) => {
    throw new Error('The browser-served VS Code was installed, but its native modules do not load.', {
      cause: error,
    });
  });
}
