import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../../src/model/errors.ts';
import { runArguments, sandboxImage } from '../../../src/sandbox/containers.ts';
import { findRunner } from '../../../src/sandbox/findRunner.ts';
import { linuxCommand, nothingInstalled } from '../../../src/sandbox/missing.ts';

const root = join(import.meta.dirname, '..', '..', '..');

test('the command line: one container that ends with its input, published on loopback under the same ports', () => {
  const args = runArguments('redis-cluster-sandbox-1', [11_001, 11_002]);
  const script = args.at(-4) ?? '';
  const withoutScript = args.map((one) => (one === script ? '<script>' : one));
  assert.deepEqual(withoutScript, [
    ...['run', '--rm', '--interactive', '--name', 'redis-cluster-sandbox-1'],
    ...['--label', 'kubernetes-redis-cluster=sandbox', '--user', 'redis', '--cap-drop', 'ALL'],
    ...['--security-opt', 'no-new-privileges'],
    ...['--publish', '127.0.0.1:11001:11001', '--publish', '127.0.0.1:11002:11002'],
    ...['--entrypoint', 'sh', 'docker.io/library/redis:8.6.3', '-c', '<script>', 'sh', '11001', '11002'],
  ]);
  assert.match(script, /--cluster-announce-ip 127\.0\.0\.1 /);
});

test('the image is the one that the manifests run', () => {
  const manifest = readFileSync(join(root, 'manifests', 'base', 'statefulset.yaml'), 'utf8');
  assert.ok(manifest.includes(`image: ${sandboxImage.replace('docker.io/library/', '')}\n`), sandboxImage);
});

test('each operating system is told how to get a server, with a button that helps', async () => {
  const windows = await nothingInstalled('win32');
  assert.match(windows.message, /Docker Desktop or Podman, or open this window in WSL/);
  assert.deepEqual(windows.help, {
    title: 'Get Docker',
    url: 'https://docs.docker.com/get-started/get-docker/',
  });
  const mac = await nothingInstalled('darwin');
  assert.match(mac.message, /“brew install redis”/);
  assert.deepEqual(mac.help, { title: 'Install in Terminal', terminal: 'brew install redis' });
  assert.match((await nothingInstalled('freebsd')).message, /with your package manager/);
});

test('a Linux distribution is recognised by its name, or by what it is like', () => {
  const commands: Readonly<Record<string, string | undefined>> = {
    'NAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n': 'sudo apt-get install redis-server',
    'ID=linuxmint\nID_LIKE="ubuntu debian"\n': 'sudo apt-get install redis-server',
    'ID="rocky"\nID_LIKE="rhel centos fedora"\n': 'sudo dnf install redis',
    'ID=fedora\n': 'sudo dnf install valkey',
    'ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n': 'sudo zypper install redis',
    'ID=arch\n': 'sudo pacman -S valkey',
    'ID=alpine\n': 'sudo apk add redis',
    'ID=nixos\n': undefined,
    '': undefined,
  };
  for (const [release, command] of Object.entries(commands)) assert.equal(linuxCommand(release), command);
});

test('a program that a setting names is used or refused, and nothing else is tried', async () => {
  const environment = { platform: process.platform, variables: process.env };
  assert.deepEqual(await findRunner(process.execPath, environment), { program: process.execPath });
  await assert.rejects(findRunner('/nowhere/redis-server', environment), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /named by the setting redisCluster\.sandbox\.redisServer/);
    assert.deepEqual(error.help, { title: 'Open Settings', command: 'redisCluster.openSettings' });
    return true;
  });
});
