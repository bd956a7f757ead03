// What every script needs before the project's own dependencies are there: runs on Node 20 with npm, nothing else.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { fileURLToPath } from 'node:url';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const node24 = path.join(
  root,
  'node_modules',
  'node',
  'bin',
  process.platform === 'win32' ? 'node.exe' : 'node',
);

/** @param {string} name */
export function isInstalled(name) {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  return folders.some((folder) => folder !== '' && existsSync(path.join(folder, name)));
}

/** Installs the dependencies that package-lock.json names, unless they are there. */
export function installDependencies() {
  const installed = path.join(root, 'node_modules', '.package-lock.json');
  const lock = path.join(root, 'package-lock.json');
  if (existsSync(node24) && existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs)
    return;
  console.log('Installing the dependencies with npm ci …');
  const started = Date.now();
  must('npm', ['ci', '--no-audit', '--no-fund', '--loglevel', 'error']);
  console.log(`Dependencies installed in ${seconds(started)}.`);
}

/** Package managers, each with the command that installs redis-server without asking. */
const managers = [
  {
    name: 'apt-get',
    update: ['update', '-q'],
    install: ['install', '-y', '-q', '--no-install-recommends'],
    redis: 'redis-server',
  },
  { name: 'dnf', install: ['install', '-y', '-q'], redis: 'redis' },
  { name: 'apk', install: ['add', '--quiet'], redis: 'redis' },
  { name: 'pacman', install: ['-S', '--noconfirm', '--quiet'], redis: 'redis' },
  { name: 'brew', install: ['install', '--quiet'], redis: 'redis' },
];

/** Installs redis-server by the system's package manager where it is missing, saying so first. */
export function installRedisServer() {
  if (isInstalled('redis-server') && isInstalled('redis-cli')) return;
  const manager = managers.find(({ name }) => isInstalled(name));
  if (manager === undefined)
    fail(
      'redis-server is missing and no known package manager is here. Install Redis 7 or later and run this again.',
    );
  const isRoot = process.getuid?.() === 0;
  // RUNLEVEL=1 keeps Debian's packages from starting a server of their own.
  const quiet = ['env', 'DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1'];
  const sudo = isRoot || manager.name === 'brew' ? [] : ['sudo', '-n'];
  if (sudo.length > 0 && !isInstalled('sudo'))
    fail(
      `redis-server is missing. Run as root: ${manager.name} ${manager.install.join(' ')} ${manager.redis}`,
    );
  console.log(`redis-server is missing: installing the package ${manager.redis} with ${manager.name} …`);
  const started = Date.now();
  /** @param {readonly string[]} args */
  const run = (args) => {
    const [command = '', ...rest] = [...sudo, ...quiet, manager.name, ...args];
    return spawnSync(command, rest, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  };
  if (manager.update !== undefined) run(manager.update);
  if (!run([...manager.install, manager.redis])) {
    const byHand = [...sudo.slice(0, 1), manager.name, ...manager.install, manager.redis].join(' ');
    fail(`redis-server could not be installed. Install it by hand and run this again: ${byHand}`);
  }
  console.log(`redis-server installed in ${seconds(started)}.`);
}

/**
 * Runs a TypeScript file on the project's own Node 24, with its tools first on the PATH, and ends as it ends.
 * @param {string} file
 * @param {readonly string[]} args
 */
export function runOnNode24(file, args) {
  const bin = path.join(root, 'node_modules', '.bin');
  const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}` };
  const child = spawn(node24, [path.join(root, file), ...args], { stdio: 'inherit', env, cwd: root });
  // Ctrl-C reaches the child by itself; this process only has to wait until it has put everything away.
  process.on('SIGINT', () => undefined);
  const stop = () => child.kill('SIGTERM');
  process.on('SIGTERM', stop);
  process.on('SIGHUP', stop);
  whenLeftBehind(stop);
  child.on('exit', (code, signal) => {
    process.exit(code ?? (signal === 'SIGINT' ? 130 : 1));
  });
}

/**
 * npm hands a signal to its shell only, which ends without handing it on, and a killed npm hands on nothing: what it
 * started notices that it is gone.
 * @param {() => void} end
 */
function whenLeftBehind(end) {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const shell = process.ppid;
  const npm = parentOf(shell);
  const timer = setInterval(() => {
    if (process.ppid === shell && (npm === undefined || parentOf(shell) === npm)) return;
    clearInterval(timer);
    end();
  }, 500);
  timer.unref();
}

/**
 * The parent of npm's shell, where the system tells it; a shell that became its only command leaves npm in its place.
 * @param {number} pid
 */
function parentOf(pid) {
  try {
    const [, name = '', parent] =
      /^\d+ \((.*)\) \S (\d+) /s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return name.includes('npm') ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
export function must(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error !== undefined) fail(`${command} cannot be run: ${error.message}`);
  if (status !== 0) fail(`${command} ${args.join(' ')} failed.`);
}

/** @param {number} started */
export function seconds(started) {
  return `${((Date.now() - started) / 1000).toFixed(1)} s`;
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(message);
  process.exit(1);
}
