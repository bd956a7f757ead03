// Builds dist/: the extension, the two adapters that it loads on first use, and the panels' pages.
//   node esbuild.mjs [--production] [--watch]
import { readdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import esbuild from 'esbuild';

const production = process.argv.includes('--production');
const root = import.meta.dirname;
const outdir = path.join(root, 'dist');

/** What every bundle must have the same one of: `instanceof UserError` has to hold for an error that an adapter threw. */
const shared = { errors: 'src/model/errors.ts' };

/** @type {import('esbuild').Plugin} */
const separateFiles = {
  name: 'separate files',
  setup(build) {
    const errors = path.join(root, shared.errors);
    build.onResolve({ filter: /\/errors\.ts$/ }, ({ path: name, resolveDir, kind }) =>
      kind !== 'entry-point' && path.resolve(resolveDir, name) === errors
        ? { path: './errors.cjs', external: true }
        : undefined,
    );
    build.onResolve({ filter: /^\.\/(redis|kubernetes)\// }, ({ path: name, importer, kind }) => {
      if (kind === 'entry-point' || importer !== path.join(root, 'src/extension.ts')) return undefined;
      const [, folder, file] = name.split('/');
      if (kind === 'dynamic-import' && file === 'entry.ts')
        return { path: `./${folder}.cjs`, external: true };
      const text = `${importer} may reach src/${folder}/ only by import('./${folder}/entry.ts'): it is a file of its own.`;
      return { errors: [{ text }] };
    });
  },
};

/** @type {import('esbuild').BuildOptions} */
const common = {
  bundle: true,
  outdir,
  metafile: true,
  minify: production,
  sourcemap: !production,
  logLevel: 'warning',
};

/** @type {import('esbuild').BuildOptions} */
const host = {
  ...common,
  absWorkingDir: root,
  entryPoints: {
    extension: 'src/extension.ts',
    redis: 'src/redis/entry.ts',
    kubernetes: 'src/kubernetes/entry.ts',
    ...shared,
  },
  outExtension: { '.js': '.cjs' },
  platform: 'node',
  target: 'node22',
  format: 'cjs',
  // `import()` becomes a deferred `require`, which VS Code's extension host and a test's require.cache both see.
  supported: { 'dynamic-import': false },
  // ws does without these two native packages.
  external: ['vscode', 'bufferutil', 'utf-8-validate'],
  plugins: [separateFiles],
};

/** @type {import('esbuild').BuildOptions} */
const panels = {
  ...common,
  absWorkingDir: root,
  entryPoints: readdirSync(path.join(root, 'media'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => [`ts`, `css`].map((kind) => ({ in: `media/${name}/${name}.${kind}`, out: name }))),
  platform: 'browser',
  target: 'chrome138',
  format: 'iife',
};

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

if (process.argv.includes('--watch')) {
  for (const options of [host, panels]) {
    const context = await esbuild.context({ ...options, logLevel: 'info' });
    await context.watch();
  }
} else {
  rmSync(outdir, { recursive: true, force: true });
  for (const result of await Promise.all([host, panels].map((options) => esbuild.build(options)))) {
    await printSizes(result);
  }
}
