// Makes the .vsix, the same bytes for the same sources on every machine.
//   npm run package [-- --out <file>] [--repository <https address>] [--publish]
// --repository is the one place for the public address: repository, bugs, homepage and all links in the package come from it.
// --publish then sends the .vsix to the Visual Studio Marketplace (VSCE_PAT) and to Open VSX (OVSX_PAT).
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import manifest from '../package.json' with { type: 'json' };
import { publish, refuseUnpublishable } from './package/publish.ts';
import { stage } from './package/stage.ts';
import { writePackage } from './package/writePackage.ts';

const root = join(import.meta.dirname, '..');

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: `${manifest.name}-${manifest.version}.vsix` },
      repository: { type: 'string' },
      publish: { type: 'boolean', default: false },
    },
  });
  if (values.repository !== undefined && !/^https:\/\/[^/]+\/.+[^/]$/.test(values.repository)) {
    throw new Error('--repository takes an address such as https://github.com/owner/name.');
  }
  if (values.publish) refuseUnpublishable(values.repository, process.env);
  const file = resolve(values.out);
  const folder = await mkdtemp(join(tmpdir(), 'package-'));
  try {
    await stage(root, folder, values.repository);
    await writePackage(root, folder, file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`${file}: ${((await stat(file)).size / 1e6).toFixed(2)} MB`);
  if (values.publish) publish(root, file);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
