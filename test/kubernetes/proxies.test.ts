import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openContext } from '../../src/kubernetes/access.ts';
import { loadKubeconfigs } from '../../src/kubernetes/kubeconfigs.ts';
import { connectNode } from '../../src/redis/connect.ts';
import { startAdapterFixture, until, type AdapterFixture } from '../support/adapterFixture.ts';
import {
  apiServerIn,
  hiddenHost,
  hideApiServer,
  startConnectProxy,
  withoutAuthority,
  type ConnectProxy,
} from '../support/connectProxy.ts';

let fixture: AdapterFixture;
let proxy: ConnectProxy;
let folder: string;

before(async () => {
  fixture = await startAdapterFixture();
  proxy = await startConnectProxy(await apiServerIn(fixture.kubeconfig));
  folder = await mkdtemp(join(tmpdir(), 'proxies-'));
});

after(async () => {
  proxy.close();
  await rm(folder, { recursive: true });
  await fixture.stop();
});

test('the proxy that a kubeconfig names carries the API, watches, exec, logs and port-forward', async () => {
  const { namespace } = fixture;
  const file = join(folder, 'config');
  await hideApiServer(fixture.kubeconfig, file, { 'proxy-url': proxy.url });
  const context = loadKubeconfigs([file]).contexts.find(({ name }) => name === fixture.context);
  assert.ok(context);
  const access = openContext(context);
  const stop = new AbortController();
  try {
    assert.equal((await access.discover(namespace)).length, 1);
    const before = proxy.asked.length;
    let changes = 0;
    const unwatch = access.watch(
      namespace,
      () => changes++,
      () => undefined,
    );
    await until(() => (changes > 0 ? true : undefined), 10_000);
    unwatch();
    let output = '';
    const session = await access.exec(namespace, 'server', 'redis', ['echo', 'through'], (data) => {
      output += data;
    });
    await session.done;
    assert.match(output, /through/);
    let log = '';
    const reading = access.logs(
      namespace,
      'server',
      'redis',
      { tailLines: 5 },
      (text) => {
        log += text;
      },
      stop.signal,
    );
    await until(() => (log === '' ? undefined : true), 10_000);
    stop.abort();
    await reading.catch(() => undefined);
    const forward = await access.forward(namespace, 'server', 6379);
    const connection = await connectNode(
      { path: forward.path },
      {},
      { connectTimeoutMs: 5000, commandTimeoutMs: 5000 },
    );
    assert.equal(await connection.call('PING'), 'PONG');
    connection.close();
    forward.close();
    assert.ok(proxy.asked.length >= before + 2, proxy.asked.join());
    assert.deepEqual(new Set(proxy.asked), new Set([`${hiddenHost}:6443`]));
  } finally {
    access.close();
  }
});

test('a proxy that is down, or refuses, is named as what cannot be reached', async () => {
  const file = join(folder, 'down');
  await hideApiServer(fixture.kubeconfig, file, { 'proxy-url': 'http://127.0.0.1:9' });
  const [context] = loadKubeconfigs([file]).contexts;
  assert.ok(context);
  const access = openContext(context);
  await fixture.rejected(access.discover(fixture.namespace), 'unreachable', /127\.0\.0\.1:9/);
  await fixture.rejected(access.forward(fixture.namespace, 'server', 6379), 'unreachable', /127\.0\.0\.1:9/);
  access.close();
});

test('an API server whose authority the machine trusts needs none in its kubeconfig', async () => {
  const file = join(folder, 'no-authority');
  const authority = join(folder, 'authority.pem');
  await writeFile(authority, await withoutAuthority(fixture.kubeconfig, file, fixture.context));
  const program = fileURLToPath(new URL('../support/reachProcess.ts', import.meta.url));
  const reach = async (
    env: Readonly<Record<string, string>>,
    ...options: readonly string[]
  ): Promise<string> => {
    const words = [...options, program, file, fixture.namespace];
    const { stdout } = await promisify(execFile)(process.execPath, words, {
      env: { ...process.env, ...env },
    });
    return stdout.trim();
  };
  assert.match(
    await reach({}),
    /certificate is not trusted \([^;]*\)\. Check certificate-authority.*http\.systemCertificates/,
  );
  const reached = '1 workload, PONG, exit code 0';
  assert.equal(await reach({ NODE_EXTRA_CA_CERTS: authority }), reached);
  assert.equal(await reach({ SSL_CERT_FILE: authority }, '--use-system-ca'), reached);
});
