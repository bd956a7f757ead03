import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { run, tryRun } from './run.ts';
import type { Log } from './run.ts';

const needed = [
  'containerd',
  'containernetworking-plugins',
  'debootstrap',
  'etcd-server',
  'iproute2',
  'nftables',
  'openssl',
  'runc',
];

/** Says why this machine cannot hold the built cluster, or undefined if it can. */
export function whyNotHere(): string | undefined {
  if (process.platform !== 'linux') return 'it needs Linux';
  if (process.getuid?.() !== 0) return 'it needs root';
  if (!existsSync('/etc/debian_version')) return 'it needs Debian (apt and debootstrap)';
  return undefined;
}

/** Installs what is missing of the Debian packages that the built cluster consists of; starts none of their services. */
export async function installPackages(log: Log): Promise<void> {
  const missing = [];
  for (const name of needed) if (!(await isInstalled(name))) missing.push(name);
  if (missing.length > 0) await install(missing, log);
}

async function isInstalled(name: string): Promise<boolean> {
  const status = await tryRun('dpkg-query', ['-W', '-f', '${db:Status-Status}', name]);
  return status === 'installed';
}

async function install(names: readonly string[], log: Log): Promise<void> {
  log(`Installing the Debian packages ${names.join(', ')} …`);
  const start = performance.now();
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Debian asks this program whether a package's services may be started; 101 says no.
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await run('apt-get', ['update'], { env });
    await run('apt-get', ['install', '-y', '--no-install-recommends', '--no-upgrade', ...names], { env });
  } finally {
    if (ours) await rm(policy, { force: true });
  }
  log(`Installed them in ${((performance.now() - start) / 1000).toFixed(1)} s.`);
}

/** The Debian mirror that this machine's apt uses. */
export async function debianMirror(): Promise<string> {
  const lines = await run('apt-get', [
    'indextargets',
    '--format',
    '$(ORIGIN) $(COMPONENT) $(CODENAME) $(REPO_URI)',
    'Created-By: Packages',
  ]);
  for (const line of lines.split('\n')) {
    const [origin, component, codename, uri] = line.split(' ');
    if (origin === 'Debian' && component === 'main' && codename !== undefined && !codename.includes('-'))
      return uri ?? '';
  }
  throw new Error('The apt sources of this machine name no Debian mirror to take the images from.');
}
