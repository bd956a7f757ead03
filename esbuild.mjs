// Builds dist/: the extension, the two adapters that it loads on first use, and the panels' pages.
//   node esbuild.mjs [--production] [--watch]
import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import esbuild from 'esbuild';
import { bundles } from './scripts/bundles.mjs';

const root = import.meta.dirname;
const outdir = path.join(root, 'dist');
const options = bundles(outdir, process.argv.includes('--production'));

/** @param {esbuild.BuildResult} result */
async function printSizes(result) {
  const files = Object.keys(result.metafile?.outputs ?? {}).filter((file) => !file.endsWith('.map'));
  for (const file of files.sort()) {
    const content = await readFile(path.join(root, file));
    const kilobytes = (/** @type {number} */ bytes) => `${(bytes / 1000).toFixed(1)} kB`.padStart(11);
    console.log(
      `${file.padEnd(24)}${kilobytes(content.length)}${kilobytes(gzipSync(content).length)} gzipped`,
    );
  }
}

let building = 0;
/** Prints when a build begins and ends, over all bundles: .vscode/tasks.json waits for these lines.
 * @type {import('esbuild').Plugin}
 */
const progress = {
  name: 'progress',
  setup(build) {
    build.onStart(() => {
      if (building === 0) console.log('Build started.');
      building += 1;
    });
    build.onEnd(() => {
      building -= 1;
      if (building === 0) console.log('Build finished, waiting for changes.');
    });
  },
};

rmSync(outdir, { recursive: true, force: true });
if (process.argv.includes('--watch')) {
  const contexts = await Promise.all(
    options.map(({ plugins = [], ...rest }) => esbuild.context({ ...rest, plugins: [...plugins, progress] })),
  );
  await Promise.all(contexts.map((context) => context.watch()));
} else {
  for (const result of await Promise.all(options.map((each) => esbuild.build(each))))
    await printSizes(result);
}
