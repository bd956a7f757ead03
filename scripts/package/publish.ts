import { spawnSync } from 'node:child_process';

/** Where the package goes, and the environment variable that holds the access token that each tool reads by itself. */
const registries = [
  { name: 'the Visual Studio Marketplace', token: 'VSCE_PAT', command: ['vsce', 'publish', '--packagePath'] },
  { name: 'Open VSX', token: 'OVSX_PAT', command: ['--yes', 'ovsx@1.4.0', 'publish'] },
] as const;

/** Throws before anything is built. */
export function refuseUnpublishable(
  repository: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): void {
  if (repository === undefined) {
    throw new Error(
      'Nothing was published: --publish needs --repository, the public address of the sources.',
    );
  }
  const missing = registries.filter(({ token }) => (env[token] ?? '') === '');
  if (missing.length > 0) {
    const needs = missing.map(({ name, token }) => `${token} for ${name}`).join(' and ');
    throw new Error(`Nothing was published: set ${needs} to an access token.`);
  }
}

export function publish(root: string, file: string): void {
  for (const { name, command } of registries) {
    const { status } = spawnSync('npx', [...command, file], { cwd: root, stdio: 'inherit' });
    if (status !== 0) throw new Error(`${file} was not published to ${name}: see above.`);
    console.log(`Published to ${name}.`);
  }
}
