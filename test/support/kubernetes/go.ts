import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache.ts';
import { debianMirror } from './packages.ts';
import { run, tryRun } from './run.ts';
import type { Log } from './run.ts';

/** The path of a Go compiler new enough for Kubernetes 1.33: the machine's, else Debian 13's, kept in the cache. */
export async function findGo(log: Log): Promise<string> {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/local/go/bin'];
  for (const folder of folders) {
    const go = join(folder, 'go');
    if (existsSync(go) && isNewEnough(await tryRun(go, ['version']))) return go;
  }
  return join(await cached('go-1.24', log, unpackGo), 'usr/lib/go-1.24/bin/go');
}

function isNewEnough(version: string | undefined): boolean {
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(version ?? '') ?? [];
  return Number(major) > 1 || Number(minor) >= 24;
}

/** Unpacks Debian 13's Go without installing it: it is one tree of static programs, for any release of Debian. */
async function unpackGo(folder: string): Promise<void> {
  const apt = join(folder, 'apt');
  for (const name of ['lists/partial', 'cache/archives/partial'])
    await mkdir(join(apt, name), { recursive: true });
  await writeFile(join(apt, 'sources.list'), `deb ${await debianMirror()} trixie main\n`);
  const settings = {
    'Dir::Etc::sourcelist': join(apt, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': join(apt, 'lists'),
    'Dir::Cache': join(apt, 'cache'),
    // The user that apt would drop to may not enter the cache.
    'APT::Sandbox::User': 'root',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await run('apt-get', [...options, 'update']);
  await run('apt-get', [...options, 'download', 'golang-1.24-go', 'golang-1.24-src'], { cwd: apt });
  await run('sh', ['-c', 'for deb in "$1"/*.deb; do dpkg-deb -x "$deb" "$2"; done', 'sh', apt, folder]);
  await rm(apt, { recursive: true });
}
