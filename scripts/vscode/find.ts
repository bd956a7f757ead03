import { createRequire } from 'node:module';
import { join } from 'node:path';
import { installVSCodeServer, type ServerVersion } from './install.ts';

/** A desktop VS Code is downloaded only if its servers answer this soon; milliseconds. */
const downloadSilenceMs = 5000;

export type VSCodeFound =
  | { readonly kind: 'desktop'; readonly executable: string }
  | { readonly kind: 'browser'; readonly server: string };

/**
 * The VS Code that tests run in: VSCODE_EXECUTABLE, else a downloaded desktop one where there is a screen to show it on,
 * else the browser-served one, which is installed by npm on first use. Where a version is given, it is that one.
 */
export async function findVSCode(log: (line: string) => void, version?: ServerVersion): Promise<VSCodeFound> {
  if (version !== undefined) return { kind: 'browser', server: await installVSCodeServer(log, version) };
  const given = process.env['VSCODE_EXECUTABLE'];
  if (given !== undefined) return { kind: 'desktop', executable: given };
  const executable = hasDisplay() ? await downloadDesktop(log) : undefined;
  if (executable !== undefined) return { kind: 'desktop', executable };
  return { kind: 'browser', server: await installVSCodeServer(log) };
}

/** Whether a window could be shown. */
export function hasDisplay(): boolean {
  if (process.platform !== 'linux') return true;
  return [process.env['DISPLAY'], process.env['WAYLAND_DISPLAY']].some((name) => (name ?? '') !== '');
}

async function downloadDesktop(log: (line: string) => void): Promise<string | undefined> {
  const { downloadAndUnzipVSCode, SilentReporter } = await import('@vscode/test-electron');
  const cachePath = join(createRequire(import.meta.url).resolve('../../package.json'), '..', '.vscode-test');
  try {
    return await downloadAndUnzipVSCode({
      version: 'stable',
      cachePath,
      timeout: downloadSilenceMs,
      reporter: new SilentReporter(),
    });
  } catch (error) {
    log(`VS Code cannot be downloaded (${error instanceof Error ? error.message : String(error)}).`);
    return undefined;
  }
}
