import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { parseAddress } from '../../src/model/clusterRef.ts';
import { UserError } from '../../src/model/errors.ts';
import { pause } from '../../src/model/pause.ts';
import { connectNode } from '../../src/redis/connect.ts';
import { formCluster } from '../../src/redis/formCluster.ts';
import { readNodeView } from '../../src/redis/nodeView.ts';
import { fillSample } from '../../src/redis/sampleKeys.ts';
import { startSandbox, type Sandbox } from '../../src/sandbox/startSandbox.ts';

const times = { connectTimeoutMs: 2000, commandTimeoutMs: 5000 };
const shape = { masters: 3, replicasPerMaster: 1 };

/**
 * Stands in for a container engine, which no test machine has to have: runs the container's script with this machine's
 * own redis-server, and keeps in `calls` what it was asked. What ports it publishes, and how, is not shown by this.
 */
const engine = String.raw`#!/bin/sh
echo "$1" >>"$FAKE_FOLDER/calls"
if [ -e "$FAKE_FOLDER/down" ]; then echo "Cannot connect to the Docker daemon" >&2; exit 1; fi
[ "$1" = run ] || exit 0
if [ -e "$FAKE_FOLDER/taken" ]; then
  rm "$FAKE_FOLDER/taken"; echo "Bind for 127.0.0.1:11000 failed: port is already allocated" >&2; exit 125
fi
while [ "$1" != -c ]; do shift; done
export PATH="$REAL_PATH" TMPDIR="$FAKE_FOLDER/inside"
exec sh "$@"
`;

describe('the sandbox without redis-server', () => {
  let folder: string;
  const environment = () => ({
    platform: process.platform,
    variables: {
      ...{ PATH: folder, FAKE_FOLDER: folder, REAL_PATH: process.env['PATH'], HOME: folder },
    },
  });
  const calls = async (): Promise<readonly string[]> =>
    (await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n');
  const start = (): Promise<Sandbox> =>
    startSandbox({
      ...shape,
      folder: join(folder, 'unused'),
      environment: environment(),
      form: async (addresses) => {
        await formCluster(addresses.map(parseAddress), {}, shape, AbortSignal.timeout(30_000));
        await fillSample(addresses, {}, 1000);
      },
    });
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'redis-sandbox-engine-'));
    await mkdir(join(folder, 'inside'));
    await writeFile(join(folder, 'docker'), engine.replace('#!/bin/sh', '#!/bin/sh\nPATH=/bin:/usr/bin'));
    await chmod(join(folder, 'docker'), 0o755);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('runs in one container, is a cluster by the published addresses, and leaves nothing behind', async () => {
    await writeFile(join(folder, 'taken'), '');
    const sandbox = await start();
    // A port that another program took between the look and the start is no reason to give up.
    assert.deepEqual(await calls(), ['version', 'run', 'run']);
    const roles: string[] = [];
    for (const address of sandbox.addresses) {
      const connection = await connectNode(parseAddress(address), {}, times);
      const { self, clusterState, replication } = await readNodeView(connection);
      connection.close();
      roles.push(replication.role);
      assert.deepEqual([`${self.host}:${self.port}`, clusterState], [address, 'ok']);
    }
    assert.deepEqual(roles.sort(), ['master', 'master', 'master', 'replica', 'replica', 'replica']);
    await sandbox.stop();
    await sandbox.stop();
    await assert.rejects(connectNode(parseAddress(sandbox.addresses[0] ?? ''), {}, times));
    assert.deepEqual(await readdir(join(folder, 'inside')), []);
    assert.ok(!(await readdir(folder)).includes('unused'));
  });

  test('ends with its process, even when that is killed', async () => {
    const parent = spawn(
      process.execPath,
      [join(import.meta.dirname, '../support/redis/sandboxProcess.ts')],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: environment().variables,
      },
    );
    const { value } = await createInterface(parent.stdout)[Symbol.asyncIterator]().next();
    const { addresses } = JSON.parse(String(value)) as { addresses: string[] };
    const connection = await connectNode(parseAddress(addresses[5] ?? ''), {}, times);
    connection.close();
    parent.kill('SIGKILL');
    const end = Date.now() + 10_000;
    while ((await readdir(join(folder, 'inside'))).length > 0) {
      assert.ok(Date.now() < end, 'the servers did not end within 10 s');
      await pause(50);
    }
    for (const address of addresses) await assert.rejects(connectNode(parseAddress(address), {}, times));
  });

  test('an engine that is installed and does not run is named, and its reason', async () => {
    await writeFile(join(folder, 'down'), '');
    await assert.rejects(start(), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(
        error.message,
        /Docker is installed but not running \(Cannot connect to the Docker daemon\)/,
      );
      assert.deepEqual(error.help, { title: 'Try Again', command: 'redisCluster.startSandbox' });
      return true;
    });
    await rm(join(folder, 'down'));
  });

  test('with no engine either, nothing is started and the way to get one is said', async () => {
    await rm(join(folder, 'docker'));
    await assert.rejects(start(), (error) => {
      assert.ok(error instanceof UserError && error.reason === 'not-found');
      assert.match(error.message, /redis-server, valkey-server, Docker and Podman were not found\. /);
      assert.ok(error.help !== undefined);
      return true;
    });
  });
});
