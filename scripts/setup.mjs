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
  console.log('Installing the dependencies with npm ci…');
  const started = Date.now();
  must('npm', ['ci', '--no-audit', '--no-fund', '--loglevel', 'error']);
  console.log(`Dependencies installed in ${seconds(started)}.`);
}

/** Package managers, each with the command that installs without asking. */
const managers = [
  {
    name: 'apt-get',
    update: ['update', '-q'],
    install: ['install', '-y', '-q', '--no-install-recommends'],
  },
  { name: 'dnf', install: ['install', '-y', '-q'] },
  { name: 'apk', install: ['add', '--quiet'] },
  { name: 'pacman', install: ['-S', '--noconfirm', '--quiet'] },
  { name: 'brew', install: ['install', '--quiet'] },
];

/**
 * What tests and sandbox run that npm does not bring, and what its package is called where it is not called the same.
 * @type {Record<string, { program: string, package: Record<string, string>, isOptional: boolean }>}
 */
const tools = {
  'redis-server': {
    program: 'redis-server',
    package: { 'apt-get': 'redis-server', dnf: 'redis', apk: 'redis', pacman: 'redis', brew: 'redis' },
    isOptional: false,
  },
  shellcheck: { program: 'shellcheck', package: { dnf: 'ShellCheck' }, isOptional: true },
  rclone: { program: 'rclone', package: {}, isOptional: true },
  busybox: { program: 'busybox', package: { 'apt-get': 'busybox-static' }, isOptional: true },
};

/**
 * Installs a tool by the system's package manager where it is missing, saying so first. Where it cannot be had, the
 * process ends with what to do, or goes on if only single tests need it: those say then that they are skipped.
 * @param {'redis-server' | 'shellcheck' | 'rclone' | 'busybox'} name
 */
export function installTool(name) {
  const tool = tools[name];
  if (tool === undefined || isInstalled(tool.program)) return;
  const started = Date.now();
  const problem = installWithManager(name, tool.package);
  if (problem === undefined) console.log(`${name} installed in ${seconds(started)}.`);
  else if (tool.isOptional) console.log(`${problem} The tests that need it are skipped.`);
  else fail(problem);
}

/**
 * @param {string} name
 * @param {Record<string, string>} packages
 * @returns {string | undefined} what went wrong
 */
function installWithManager(name, packages) {
  const manager = managers.find((one) => isInstalled(one.name));
  if (manager === undefined)
    return `${name} is missing, and no known package manager was found. Install it and run this again.`;
  const isRoot = process.getuid?.() === 0;
  // RUNLEVEL=1 keeps Debian's packages from starting a server of their own.
  const quiet = ['env', 'DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1'];
  const sudo = isRoot || manager.name === 'brew' ? [] : ['sudo', '-n'];
  const install = [manager.name, ...manager.install, packages[manager.name] ?? name];
  if (sudo.length > 0 && !isInstalled('sudo')) return `${name} is missing. Run as root: ${install.join(' ')}`;
  console.log(`${name} is missing. Installing it with ${install.join(' ')}…`);
  /** @param {readonly string[]} args */
  const run = (args) => {
    const [command = '', ...rest] = [...sudo, ...quiet, ...args];
    return spawnSync(command, rest, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  };
  if (manager.update !== undefined) run([manager.name, ...manager.update]);
  if (run(install)) return undefined;
  return `${name} could not be installed. Install it yourself, then run this again: ${[...sudo.slice(0, 1), ...install].join(' ')}`;
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
