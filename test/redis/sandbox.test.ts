import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { access, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAddress } from '../../src/model/clusterRef.ts';
import { UserError } from '../../src/model/errors.ts';
import { connectNode } from '../../src/redis/connect.ts';
import { formCluster } from '../../src/redis/formCluster.ts';
import { readNodeView } from '../../src/redis/nodeView.ts';
import { fillSample } from '../../src/redis/sampleKeys.ts';
import { startSandbox } from '../../src/sandbox/startSandbox.ts';

const times = { connectTimeoutMs: 2000, commandTimeoutMs: 5000 };
const shape = { masters: 3, replicasPerMaster: 1 };

async function answers(address: string): Promise<boolean> {
  return await connectNode(parseAddress(address), {}, times).then(
    (connection) => {
      connection.close();
      return true;
    },
    () => false,
  );
}

async function isGone(folder: string): Promise<boolean> {
  return await access(folder).then(
    () => false,
    () => true,
  );
}

async function waitFor(condition: () => Promise<boolean>, what: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await condition()) return;
    await sleep(50);
  }
  assert.fail(`${what} did not happen within 10 s`);
}

test('a sandbox is three masters with a replica each and 10,000 keys, and leaves nothing behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'redis-sandbox-test-'));
  const sandbox = await startSandbox({
    ...shape,
    folder,
    form: async (addresses) => {
      await formCluster(addresses.map(parseAddress), {}, shape, AbortSignal.timeout(30_000));
      await fillSample(addresses, {}, 10_000);
    },
  });
  let keys = 0;
  let masters = 0;
  for (const address of sandbox.addresses) {
    assert.match(address, /^127\.0\.0\.1:/);
    const connection = await connectNode(parseAddress(address), {}, times);
    const view = await readNodeView(connection);
    connection.close();
    assert.equal(view.clusterState, 'ok');
    if (view.replication.role !== 'master') continue;
    masters++;
    keys += view.keys;
    assert.ok(view.keys > 2500, `a master has only ${view.keys} keys`);
  }
  assert.deepEqual([masters, keys, sandbox.addresses.length], [3, 10_000, 6]);
  await sandbox.stop();
  await sandbox.stop();
  assert.ok(await isGone(folder));
  assert.equal(await answers(sandbox.addresses[0] ?? ''), false);
});

test('a sandbox ends with its process, even when that is killed', async () => {
  const parent = spawn(process.execPath, [join(import.meta.dirname, '../support/redis/sandboxProcess.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { value } = await createInterface(parent.stdout)[Symbol.asyncIterator]().next();
  const { addresses, folder } = JSON.parse(String(value)) as { addresses: string[]; folder: string };
  assert.ok(await answers(addresses[5] ?? ''));
  parent.kill('SIGKILL');
  await waitFor(() => isGone(folder), 'the removal of the folder');
  for (const address of addresses) assert.equal(await answers(address), false);
});

test('what goes wrong while forming stops the servers', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'redis-sandbox-test-'));
  let started: readonly string[] = [];
  const form = (addresses: readonly string[]): Promise<void> => {
    started = addresses;
    return Promise.reject(new Error('no forming today'));
  };
  await assert.rejects(startSandbox({ ...shape, folder, form }), /no forming today/);
  assert.equal(await answers(started[0] ?? ''), false);
  assert.ok(await isGone(folder));
});

test('a redis-server that the setting names and that is missing is named, with the setting', async () => {
  const folder = join(tmpdir(), 'redis-sandbox-test-never-made');
  const form = (): Promise<void> => Promise.resolve();
  await assert.rejects(
    startSandbox({ ...shape, folder, form, redisServer: '/nowhere/redis-server' }),
    (error) =>
      error instanceof UserError && error.reason === 'not-found' && error.help?.title === 'Open Settings',
  );
  assert.ok(await isGone(folder));
});

test('servers that are not empty are not joined', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'redis-sandbox-test-'));
  const form = async (addresses: readonly string[]): Promise<void> => {
    const two = addresses.map(parseAddress).slice(0, 2);
    await formCluster(two, {}, { masters: 1, replicasPerMaster: 1 }, AbortSignal.timeout(30_000));
    await formCluster(addresses.map(parseAddress), {}, shape, AbortSignal.timeout(30_000));
  };
  await assert.rejects(startSandbox({ ...shape, folder, form }), /is not empty: .*Nothing was changed/);
});
