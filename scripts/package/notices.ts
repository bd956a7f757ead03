import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';

interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name: string };
  readonly repository?: string | { readonly url: string };
}

/** Folders of the npm packages of which code is in the bundles, relative to the root. */
export function bundledPackages({ outputs }: Metafile): readonly string[] {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const folders = inputs
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .flatMap(([path]) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  return [...new Set(folders)].sort();
}

/**
 * The text of ThirdPartyNotices.txt: every package with its licence and what it wants to be passed on.
 * @throws Error where a package comes without the text of its licence.
 */
export async function noticesOf(root: string, folders: readonly string[]): Promise<string> {
  const notices = await Promise.all(
    [...new Set(folders)].map((folder) => noticeOf(root, join(root, folder))),
  );
  const unique = [...new Set(notices)].sort();
  return [
    'Third-party notices\n\nRedis Cluster for Kubernetes contains code of the following packages.\n',
    ...unique,
  ].join(`\n${'-'.repeat(80)}\n\n`);
}

async function noticeOf(root: string, folder: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as PackageManifest;
  const { name, version, license = 'see below', repository } = manifest;
  const names = (await readdir(folder)).filter((file) => /^((un)?licen[cs]e|notice)/i.test(file)).sort();
  const texts =
    names.length > 0
      ? await Promise.all(names.map((file) => readFile(join(folder, file), 'utf8')))
      : [await standardText(root, manifest)];
  const address = (typeof repository === 'string' ? repository : repository?.url)?.replace(/^git\+/, '');
  const head = [`${name} ${version}`, `License: ${license}`, ...(address === undefined ? [] : [address])];
  return `${head.join('\n')}\n\n${texts.map((text) => text.replaceAll('\r\n', '\n').trim()).join('\n\n')}\n`;
}

/** For a package that names its licence and leaves out its text: the MIT license is this project's own. */
async function standardText(
  root: string,
  { name, version, license, author }: PackageManifest,
): Promise<string> {
  const holder = typeof author === 'string' ? author : author?.name;
  if (license !== 'MIT' || holder === undefined) {
    throw new Error(`${name} ${version} comes without the text of its licence.`);
  }
  const own = await readFile(join(root, 'LICENSE'), 'utf8');
  return own.replace(/^Copyright.*$/m, `Copyright (c) ${holder}`);
}
