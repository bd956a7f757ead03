import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** The earliest date that a zip archive can hold. */
const epochSeconds = Date.UTC(1980, 0, 1) / 1000;

/** Runs vsce in the staged folder; neither clock nor time zone of the machine reaches the archive. */
export async function writePackage(root: string, folder: string, file: string): Promise<void> {
  const vsce = join(root, 'node_modules', '@vscode', 'vsce', 'vsce');
  // Links have been made absolute before, and a package for this machine alone has no repository.
  const options = ['--no-dependencies', '--no-rewrite-relative-links', '--allow-missing-repository'];
  const child = spawn(process.execPath, [vsce, 'package', ...options, '--out', file], {
    cwd: folder,
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epochSeconds), TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`vsce could not make the package:\n${output}`);
}
