import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { hasDisplay } from './find.ts';
import { installVSCodeServer } from './install.ts';
import { onPath } from './packages.ts';
import { startVSCodeServer, vscodeEnvironment, type VSCodeServer, writeUserSettings } from './server.ts';

/** A familiar address when nothing else listens there. */
const preferredPort = 18_080;

export interface ServeOptions {
  /** A built extension. */
  readonly extensionPath: string;
  /** The workspace folder. */
  readonly folder: string;
  /** Where this VS Code keeps what it and its user write; a person's own VS Code is not touched. */
  readonly dataDir: string;
  /** For the extension host and its terminals, above this process's own environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Where to serve it; by default 18080 or, if that is taken, any free one. */
  readonly port?: number;
  readonly log: (line: string) => void;
}

/**
 * Serves VS Code with the extension for a person's browser, installing it first if need be. It ends with this process.
 * @throws Error when it cannot be installed or started, for example because a given port is taken.
 */
export async function serveVSCode(options: ServeOptions): Promise<VSCodeServer> {
  const server = await installVSCodeServer(options.log);
  await writeUserSettings(options.dataDir, options.settings ?? {});
  return await startVSCodeServer({
    server,
    dataDir: options.dataDir,
    removeDataDir: false,
    folder: options.folder,
    env: options.env,
    extensions: [options.extensionPath],
    port: options.port ?? ((await isFree(preferredPort)) ? preferredPort : 0),
  });
}

/**
 * Opens the desktop VS Code with the extension in a window of its own (VSCODE_EXECUTABLE or `code`); it outlives this process.
 * @returns false where there is no desktop VS Code, or no screen.
 */
export async function openDesktop(options: ServeOptions): Promise<boolean> {
  const executable = process.env['VSCODE_EXECUTABLE'] ?? onPath('code');
  if (executable === undefined || !hasDisplay()) return false;
  const { dataDir } = options;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await writeUserSettings(dataDir, options.settings ?? {});
  const child = spawn(
    executable,
    [
      ...['--new-window', '--disable-workspace-trust', '--force-disable-user-env'],
      `--extensionDevelopmentPath=${options.extensionPath}`,
      `--user-data-dir=${dataDir}`,
      `--extensions-dir=${join(dataDir, 'desktop-extensions')}`,
      options.folder,
    ],
    { detached: true, env: vscodeEnvironment(options.env), stdio: 'ignore' },
  );
  await once(child, 'spawn');
  child.unref();
  return true;
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen(port, '127.0.0.1');
  const free = await once(probe, 'listening').then(
    () => true,
    () => false,
  );
  probe.close();
  return free;
}
