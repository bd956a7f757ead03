import { readdirSync } from 'node:fs';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);

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
    build.onResolve({ filter: /\/(assemble|allCommands)\.ts$/ }, ({ path: name, kind }) => {
      const file = name.endsWith('/assemble.ts') ? './assemble.cjs' : './commands.cjs';
      return kind === 'dynamic-import' ? { path: file, external: true } : undefined;
    });
    build.onResolve({ filter: /^\.\/(redis|kubernetes)\// }, ({ path: name, importer, kind }) => {
      if (kind === 'entry-point' || importer !== path.join(root, 'src/assemble.ts')) return undefined;
      const [, folder, file] = name.split('/');
      if (kind === 'dynamic-import' && file === 'entry.ts')
        return { path: `./${folder}.cjs`, external: true };
      const text = `${importer} may reach src/${folder}/ only by import('./${folder}/entry.ts'): it is a file of its own.`;
      return { errors: [{ text }] };
    });
  },
};

/**
 * client-node imports undici for its own requests, none of which are used here: client.ts and channel.ts speak to the API
 * servers. Left out, it takes a quarter of the package and half of what is loaded for Kubernetes with it.
 * @type {import('esbuild').Plugin}
 */
const withoutUndici = {
  name: 'without undici',
  setup(build) {
    build.onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'left out' }));
    build.onLoad({ filter: /^undici$/, namespace: 'left out' }, () => ({
      contents: `
        const leftOut = () => { throw new Error('undici is not in the bundle: see scripts/bundles.mjs'); };
        export { leftOut as Agent, leftOut as ProxyAgent, leftOut as fetch };`,
    }));
  },
};

/**
 * What esbuild makes of the extension: one set of files for the extension host, one for the panels' pages.
 * @param {string} outdir
 * @param {boolean} production Minified and without source maps.
 * @returns {readonly (import('esbuild').BuildOptions & { metafile: true })[]}
 */
export function bundles(outdir, production) {
  /** @type {import('esbuild').BuildOptions & { metafile: true }} */
  const common = {
    absWorkingDir: root,
    bundle: true,
    outdir,
    metafile: true,
    minify: production,
    sourcemap: !production,
    logLevel: 'warning',
  };
  const host = {
    ...common,
    entryPoints: {
      extension: 'src/extension.ts',
      assemble: 'src/assemble.ts',
      redis: 'src/redis/entry.ts',
      kubernetes: 'src/kubernetes/entry.ts',
      commands: 'src/ui/allCommands.ts',
      ...shared,
    },
    outExtension: { '.js': '.cjs' },
    platform: /** @type {const} */ ('node'),
    target: 'node22',
    format: /** @type {const} */ ('cjs'),
    // `import()` becomes a deferred `require`, which VS Code's extension host and a test's require.cache both see.
    supported: { 'dynamic-import': false },
    // ws does without these two native packages.
    external: ['vscode', 'bufferutil', 'utf-8-validate'],
    // The extension host puts its proxy settings and the system's certificates into these, by their plain names only.
    alias: { 'node:http': 'http', 'node:https': 'https', 'node:net': 'net', 'node:tls': 'tls' },
    plugins: [separateFiles, withoutUndici],
  };
  const panels = {
    ...common,
    entryPoints: readdirSync(path.join(root, 'media'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap(({ name }) =>
        ['ts', 'css'].map((kind) => ({ in: `media/${name}/${name}.${kind}`, out: name })),
      ),
    platform: /** @type {const} */ ('browser'),
    target: 'chrome138',
    format: /** @type {const} */ ('iife'),
  };
  return [host, panels];
}
