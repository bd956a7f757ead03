import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { holdLock, isAlive } from '../lock.ts';
import { ensureBuildTools } from './packages.ts';

const run = promisify(execFile);

/** The browser-served VS Code: pinned, since its workbench's markup is what the tests click on. */
const version = '4.139.1';
/** Without these the server does not start, has no terminal, or leaves processes behind. */
const nativeModules = ['@vscode/spdlog', '@vscode/native-watchdog', '@parcel/watcher', 'node-pty'];
/** Generous for a slow machine: two to three minutes are usual on two cores. */
const installLimitMs = 20 * 60_000;

/** The `node` package's own executable: the server's Node.js is the extension host's, so it is this project's. */
export function projectNode(): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve('node/package.json')), 'bin', 'node');
}

/**
 * The folder of an installed browser-served VS Code (the one that holds `out/server-main.js`), installed first if this
 * account has none. Installed beside its place and renamed, so a half-finished one is never found.
 * @throws Error saying what is missing on this machine, or the end of npm's output.
 */
export async function installVSCodeServer(log: (line: string) => void): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'kubernetes-redis-cluster');
  const target = join(cache, `code-server-${version}`);
  const server = join(target, 'node_modules', 'code-server', 'lib', 'vscode');
  if (existsSync(target)) return server;
  if (process.platform === 'win32') {
    throw new Error('No VS Code found: set VSCODE_EXECUTABLE to the full path of Code.exe.');
  }
  await mkdir(cache, { recursive: true });
  const release = await holdLock(`${target}.lock`, installLimitMs, log);
  try {
    if (!existsSync(target)) await installAt(target, log);
  } finally {
    await release();
  }
  return server;
}

async function installAt(target: string, log: (line: string) => void): Promise<void> {
  await removeAbandoned(dirname(target));
  await ensureBuildTools(log);
  const temporary = await mkdtemp(join(dirname(target), `.installing-${process.pid}-`));
  try {
    await install(temporary, log);
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

async function install(folder: string, log: (line: string) => void): Promise<void> {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  log(`Installing the browser-served VS Code (code-server ${version}): once, 600 MB, about 3 minutes.`);
  const ticker = setInterval(() => {
    log(`  still installing, ${seconds()} s`);
  }, 30_000);
  try {
    await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
    await npmInstall(folder);
    await proveNativeModules(join(folder, 'node_modules', 'code-server', 'lib', 'vscode'));
  } finally {
    clearInterval(ticker);
  }
  log(`  installed in ${seconds()} s`);
}

function npmInstall(folder: string): Promise<void> {
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error', `code-server@${version}`];
  const child = spawn('npm', args, { cwd: folder, env: npmEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-4000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  child.on('error', reject);
  child.on('close', (code) => {
    if (code === 0) resolve(undefined);
    else reject(new Error(`npm could not install code-server ${version}:\n${output.trimEnd()}`));
  });
  return promise;
}

/**
 * npm under this project's Node.js, with install scripts allowed (npm otherwise skips them, or only announces them, and
 * the native modules stay unbuilt), and with the C++ headers that come with the `node` package instead of a download.
 */
function npmEnvironment(): NodeJS.ProcessEnv {
  const headers = nodeHeaders();
  // An npm that runs this script tells its children which Node.js and which project are its own; what it was configured
  // with stays, so that the same registry and cache are used.
  const fromOuterNpm =
    /^npm_(config_(user_agent|local_prefix|global_prefix|prefix)$|(node_)?execpath$|command$|lifecycle_|package_)/i;
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !fromOuterNpm.test(name)));
  return {
    ...own,
    PATH: [dirname(projectNode()), process.env['PATH']].join(delimiter),
    npm_config_ignore_scripts: 'false',
    npm_config_dangerously_allow_all_scripts: 'true',
    ...(headers === undefined ? {} : { npm_config_nodedir: headers }),
  };
}

function nodeHeaders(): string | undefined {
  const require = createRequire(createRequire(import.meta.url).resolve('node/package.json'));
  try {
    const folder = dirname(require.resolve(`node-${process.platform}-${process.arch}/package.json`));
    return existsSync(join(folder, 'include', 'node', 'node_api.h')) ? folder : undefined;
  } catch {
    return undefined;
  }
}

async function proveNativeModules(server: string): Promise<void> {
  const source = nativeModules.map((name) => `require(${JSON.stringify(name)});`).join('');
  await run(projectNode(), ['-e', source], { cwd: server }).catch((error: unknown) => {
    throw new Error(`code-server ${version} was installed, but its native modules do not load.`, {
      cause: error,
    });
  });
}
