import { globSync } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { bundles } from '../bundles.mjs';
import { packagedMarkdown } from './links.ts';
import { bundledPackages, noticesOf } from './notices.ts';

/** What is shipped beside the bundles and the documents. The icon is the only picture. */
const shipped = [
  'LICENSE',
  'manifests/**/*.*',
  'resources/icon.png',
  'resources/*.json',
  'resources/view.svg',
  'resources/walkthrough/*.svg',
];
const documents = ['README.md', 'CHANGELOG.md'];
/** What package.json has for developers only. */
const unshipped = ['private', 'scripts', 'devDependencies', 'overrides', 'prettier', 'knip'];

/** Puts everything that is in the package into an empty folder, from where vsce takes all of it. */
export async function stage(root: string, folder: string, repository: string | undefined): Promise<void> {
  const metafiles = await buildInto(join(folder, 'dist'));
  for (const name of globSync(shipped, { cwd: root })) await copy(join(root, name), join(folder, name));
  for (const name of documents) {
    await write(join(folder, name), packagedMarkdown(await readFile(join(root, name), 'utf8'), repository));
  }
  await write(
    join(folder, 'ThirdPartyNotices.txt'),
    await noticesOf(root, metafiles.flatMap(bundledPackages)),
  );
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
  const kept = Object.entries(manifest).filter(([name]) => !unshipped.includes(name));
  const packaged = { ...Object.fromEntries(kept), ...addresses(repository) };
  await write(join(folder, 'package.json'), `${JSON.stringify(packaged, null, 2)}\n`);
  // vsce warns where there is none; everything in this folder is packaged.
  await write(join(folder, '.vscodeignore'), '');
}

function addresses(repository: string | undefined): object {
  if (repository === undefined) return {};
  return {
    repository: { type: 'git', url: `${repository}.git` },
    bugs: { url: `${repository}/issues` },
    homepage: `${repository}#readme`,
  };
}

async function buildInto(outdir: string): Promise<readonly Metafile[]> {
  const results = await Promise.all(bundles(outdir, true).map((options) => build(options)));
  for (const name of globSync('*', { cwd: outdir })) await plain(join(outdir, name));
  return results.map(({ metafile }) => metafile);
}

async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
  await plain(to);
}

async function write(file: string, content: string): Promise<void> {
  await writeFile(file, content);
  await plain(file);
}

/** The archive keeps modes, which depend on the umask that the sources were checked out with. */
function plain(file: string): Promise<void> {
  return chmod(file, 0o644);
}
