import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Git-ignored; what is in it may be uploaded by a CI run. */
const resultsFolder = fileURLToPath(new URL('../../../test-results/', import.meta.url));

/** Where a result of this name goes; its folder exists afterwards. */
export async function resultPath(name: string): Promise<string> {
  await mkdir(resultsFolder, { recursive: true });
  return join(resultsFolder, name.replaceAll(/[^\w.-]+/g, '-'));
}

/** Copies a window's logs before its folder goes away. */
export async function keepLogs(logs: string, name: string): Promise<void> {
  await cp(logs, await resultPath(`${name}-logs`), { recursive: true }).catch(() => undefined);
}
