import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { nodeOf } from './npm.ts';

const run = promisify(execFile);

const startLimitMs = 60_000;
/** Quiet in every VS Code that this project starts: no welcome pages, no updates, no telemetry, no assistant. */
const quietSettings = {
  'telemetry.telemetryLevel': 'off',
  'workbench.startupEditor': 'none',
  'workbench.enableExperiments': false,
  'workbench.tips.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'chat.disableAIFeatures': true,
  'update.mode': 'none',
  'update.showReleaseNotes': false,
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'security.workspace.trust.enabled': false,
};

export interface VSCodeServer {
  /** What to open in a browser. Who knows it may run commands as this user: it holds the server's secret. */
  readonly url: string;
  /** Ends the server, its extension hosts and its terminals; resolves once they are gone. */
  stop(): Promise<void>;
}

interface ServerOptions {
  /** The folder that holds `out/server-main.js`. */
  readonly server: string;
  /** Everything the server writes goes here. */
  readonly dataDir: string;
  /** Whether the folder goes away with the server, even when this process is killed. */
  readonly removeDataDir: boolean;
  /** 0 for any free one. */
  readonly port: number;
  /** What the address opens. */
  readonly folder: string;
  /**
   * Folders of extensions are used where they are: a reload of the window shows what was built meanwhile. Packages (.vsix)
   * are installed first, as VS Code itself installs them.
   */
  readonly extensions: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * User settings of a VS Code whose user data is in `dataDir`: the caller's, then what a person changed there before, then
 * the quiet ones. A file with comments is the person's own and stays as it is.
 */
export async function writeUserSettings(
  dataDir: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<void> {
  const file = join(dataDir, 'User', 'settings.json');
  await mkdir(join(dataDir, 'User'), { recursive: true });
  const kept: unknown = await readFile(file, 'utf8')
    .catch(() => '{}')
    .then(JSON.parse)
    .catch(() => undefined);
  if (typeof kept !== 'object') return;
  await writeFile(file, `${JSON.stringify({ ...quietSettings, ...kept, ...settings }, null, 2)}\n`);
  // A served VS Code takes settings of scope `machine` from here, where the server keeps what is its machine's.
  await mkdir(join(dataDir, 'Machine'), { recursive: true });
  await writeFile(join(dataDir, 'Machine', 'settings.json'), `${JSON.stringify(settings, null, 2)}\n`);
}

/**
 * Starts VS Code's own server on 127.0.0.1; ready to serve the workbench when it resolves.
 * @throws Error with the end of the server's output when it ends early or says nothing for a minute.
 */
export async function startVSCodeServer(options: ServerOptions): Promise<VSCodeServer> {
  const { dataDir } = options;
  await mkdir(join(dataDir, 'logs'), { recursive: true, mode: 0o700 });
  const tokenFile = join(dataDir, 'connection-token');
  const token = await keptToken(tokenFile);
  const extensionsDir = join(dataDir, 'extensions');
  const packages = options.extensions.filter((extension) => extension.endsWith('.vsix'));
  const folders = options.extensions.filter((extension) => !packages.includes(extension));
  await installPackages(options, packages);
  await linkExtensions(extensionsDir, folders, packages.length > 0);
  const supervisor = spawn(
    process.execPath,
    [
      fileURLToPath(import.meta.resolve('./supervise.mjs')),
      options.removeDataDir ? dataDir : '',
      nodeOf(options.server),
      join(options.server, 'out', 'server-main.js'),
      ...['--host', '127.0.0.1', '--port', `${options.port}`, '--connection-token-file', tokenFile],
      ...['--user-data-dir', dataDir, '--server-data-dir', dataDir],
      ...['--extensions-dir', extensionsDir, '--default-folder', options.folder, '--telemetry-level', 'off'],
      ...['--accept-server-license-terms', '--disable-workspace-trust', '--disable-update-check'],
      // Otherwise what a login shell exports would win over `env`.
      ...['--disable-getting-started-override', '--force-disable-user-env'],
    ],
    { detached: true, env: vscodeEnvironment(options.env), stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const stop = async () => {
    supervisor.stdin.end();
    if (supervisor.exitCode === null) await once(supervisor, 'exit');
  };
  try {
    const port = await listeningPort(supervisor, join(dataDir, 'logs', 'server.log'));
    return { url: `http://127.0.0.1:${port}/?tkn=${token}`, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @throws Error with what VS Code says when it does not take a package, such as one for newer versions. */
async function installPackages(
  { server, dataDir }: ServerOptions,
  packages: readonly string[],
): Promise<void> {
  for (const file of packages) {
    const args = ['--install-extension', file, '--extensions-dir', join(dataDir, 'extensions')];
    const where = ['--user-data-dir', dataDir, '--server-data-dir', dataDir];
    const program = join(server, 'out', 'server-main.js');
    // It says so and ends with 0 where an installation fails.
    const { stdout, stderr } = await run(nodeOf(server), [program, ...args, ...where], {
      env: vscodeEnvironment({}),
    });
    if (!stdout.includes('was successfully installed'))
      throw new Error(`${file} was not installed:\n${stdout}${stderr}`);
  }
}

/**
 * Links, since VS Code may remove what is in its extensions' folder. Without its own list it takes every extension there;
 * with one, only those that it knew before: where packages were installed, it has one.
 */
async function linkExtensions(
  folder: string,
  extensions: readonly string[],
  hasList: boolean,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const list = join(folder, 'extensions.json');
  const known = hasList ? (JSON.parse(await readFile(list, 'utf8')) as unknown[]) : [];
  for (const extension of extensions) {
    const link = join(folder, basename(extension));
    await rm(link, { recursive: true, force: true });
    await symlink(extension, link, 'dir');
    known.push(await listed(link));
  }
  if (hasList) await writeFile(list, JSON.stringify(known));
  else await rm(list, { force: true });
}

/** An entry of VS Code's list of extensions. */
async function listed(folder: string): Promise<object> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    readonly publisher: string;
    readonly name: string;
    readonly version: string;
  };
  return {
    identifier: { id: `${manifest.publisher}.${manifest.name}` },
    version: manifest.version,
    location: { $mid: 1, path: folder, scheme: 'file' },
    relativeLocation: basename(folder),
  };
}

/** The same token for the same folder, so that an open browser tab survives a restart. */
async function keptToken(file: string): Promise<string> {
  const kept = await readFile(file, 'utf8').catch(() => '');
  if (kept !== '') return kept;
  const token = randomBytes(16).toString('hex');
  await writeFile(file, token, { mode: 0o600 });
  return token;
}

/** For a VS Code that is started here: `env` above this process's own, without what a test runner or a surrounding VS Code tells its own children. */
export function vscodeEnvironment(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(NODE_TEST_CONTEXT|NODE_OPTIONS|ELECTRON_.*|VSCODE_.*)$/.test(name),
  );
  return { ...Object.fromEntries(inherited), ...env };
}

async function listeningPort(supervisor: ChildProcess, logFile: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const file = createWriteStream(logFile);
  let output = '';
  const read = (chunk: Buffer) => {
    file.write(chunk);
    output = (output + chunk.toString()).slice(-4000);
    const port = /Extension host agent listening on (\d+)/.exec(output)?.[1];
    if (port !== undefined) resolve(Number(port));
  };
  supervisor.stdout?.on('data', read);
  supervisor.stderr?.on('data', read);
  const fail = (what: string) => () => {
    reject(new Error(`VS Code's server ${what}:\n${output.trimEnd()}`));
  };
  const timer = setTimeout(fail('did not start listening within a minute'), startLimitMs);
  supervisor.on('exit', fail('ended early'));
  supervisor.on('close', () => file.end());
  return promise.finally(() => {
    clearTimeout(timer);
  });
}
