import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { openContext } from '../../../src/kubernetes/access.ts';
import { loadKubeconfigs } from '../../../src/kubernetes/kubeconfigs.ts';
import type { KubernetesAccess } from '../../../src/kubernetes/kubernetesAccess.ts';
import { UserError } from '../../../src/model/errors.ts';

// Faults that a real API server cannot be made to show on request.

const folder = mkdtempSync(join(tmpdir(), 'api-'));
after(() => {
  rmSync(folder, { recursive: true });
});

type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => void;

async function serve(context: TestContext, handler: Handler): Promise<string> {
  const server: Server = createServer((request, response) => {
    handler(request, response, new URL(request.url ?? '/', 'http://x'));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}`;
}

let count = 0;

function open(context: TestContext, server: string, user: object = { token: 'old' }): KubernetesAccess {
  const file = join(folder, `config-${count++}`);
  writeFileSync(file, configText(server, user));
  const [kubeContext] = loadKubeconfigs([file]).contexts;
  assert.ok(kubeContext);
  const access = openContext(kubeContext);
  context.after(() => {
    access.close();
  });
  return access;
}

function configText(server: string, user: object): string {
  return JSON.stringify({
    clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'dev', context: { cluster: 'c', user: 'u' } }],
  });
}

function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

const emptyList = { metadata: { resourceVersion: '5' }, items: [] };

async function until(done: () => boolean): Promise<void> {
  for (let waited = 0; !done(); waited += 10) {
    assert.ok(waited < 10_000, 'nothing happened within 10 s');
    await sleep(10);
  }
}

function redisPodEvent(type: string, version: string): string {
  const object = {
    metadata: { name: 'a', namespace: 'ns', resourceVersion: version },
    spec: { containers: [{ name: 'redis', image: 'redis:7' }] },
  };
  return `${JSON.stringify({ type, object })}\n`;
}

test('a watch goes on from the last version, lists anew after 410 and says when it is stale', async (context) => {
  const versions: string[] = [];
  let lists = 0;
  let phase = 0;
  const server = await serve(context, (_request, response, url) => {
    const isPods = url.pathname.endsWith('/pods');
    if (url.searchParams.get('watch') === null) {
      if (isPods) lists++;
      json(response, emptyList);
      return;
    }
    response.writeHead(200);
    response.flushHeaders();
    if (!isPods) return;
    versions.push(url.searchParams.get('resourceVersion') ?? '');
    phase++;
    if (phase === 1) response.end(redisPodEvent('ADDED', '7'));
    else if (phase === 2)
      response.end(`${JSON.stringify({ type: 'ERROR', object: { code: 410, message: 'too old' } })}\n`);
    else if (phase === 3)
      response.end(`${JSON.stringify({ type: 'ERROR', object: { code: 500, message: 'etcd is away' } })}\n`);
    else response.write(redisPodEvent('MODIFIED', '9'));
  });
  let changes = 0;
  const states: (string | undefined)[] = [];
  const end = open(context, server).watch(
    'ns',
    () => changes++,
    (problem) => states.push(problem?.message),
  );
  context.after(end);
  await until(() => phase === 4 && states.length === 2);
  assert.deepEqual(versions, ['5', '7', '5', '5']);
  assert.equal(lists, 3);
  assert.match(states[0] ?? '', /etcd is away/);
  assert.equal(states[1], undefined);
  assert.ok(changes >= 2);
});

test('after the end of a watch nothing is called and nothing is asked any more', async (context) => {
  let requests = 0;
  const server = await serve(context, (_request, response) => {
    requests++;
    json(response, { message: 'no' }, 503);
  });
  let calls = 0;
  const end = open(context, server).watch(
    undefined,
    () => calls++,
    () => calls++,
  );
  await until(() => calls === 2);
  end();
  const [before, asked] = [calls, requests];
  await sleep(1_500);
  assert.deepEqual([calls, requests], [before, asked]);
});

test('changes that come at once are told at most ten times a second', async (context) => {
  const server = await serve(context, (_request, response, url) => {
    if (url.searchParams.get('watch') === null) {
      json(response, emptyList);
      return;
    }
    response.writeHead(200);
    let version = 10;
    const timer = setInterval(() => response.write(redisPodEvent('MODIFIED', String(version++))), 2);
    response.on('close', () => {
      clearInterval(timer);
    });
  });
  let changes = 0;
  const end = open(context, server).watch(
    'ns',
    () => changes++,
    () => undefined,
  );
  await sleep(1_000);
  end();
  assert.ok(changes >= 3 && changes <= 12, `${changes} calls`);
});

test('after a 401 the kubeconfig is read afresh, once', async (context) => {
  const seen: (string | undefined)[] = [];
  const server = await serve(context, (request, response) => {
    seen.push(request.headers.authorization);
    if (request.headers.authorization === 'Bearer new') json(response, emptyList);
    else json(response, { message: 'Unauthorized' }, 401);
  });
  const access = open(context, server);
  writeFileSync(join(folder, `config-${count - 1}`), configText(server, { token: 'new' }));
  await access.listNamespaces();
  assert.deepEqual(seen, ['Bearer old', 'Bearer new']);
  const other = open(context, server, { token: 'expired' });
  await assert.rejects(other.listNamespaces(), (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.reason, 'sign-in-needed');
    assert.match(error.message, /context dev .*Sign in again/);
    assert.doesNotMatch(error.message, /expired"|Bearer/);
    return true;
  });
});

test('a sign-in program runs once for all requests that wait for it, and is told the cluster', async (context) => {
  const program = join(folder, 'sign-in.sh');
  const runs = join(folder, 'runs');
  writeFileSync(
    program,
    `#!/bin/sh\necho "$KUBERNETES_EXEC_INFO" >> ${runs}\nsleep 0.3\necho '{"status":{"token":"t1"}}'\n`,
  );
  chmodSync(program, 0o700);
  const server = await serve(context, (_request, response) => {
    json(response, emptyList);
  });
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: './sign-in.sh' };
  const access = open(context, server, { exec });
  await Promise.all([access.listNamespaces(), access.listNamespaces(), access.discover('ns')]);
  await access.listNamespaces();
  const lines = readFileSync(runs, 'utf8').trim().split('\n');
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /"server":"http:/);
});

test('a sign-in program that is missing or fails is named', async (context) => {
  const missing = open(context, 'http://127.0.0.1:1', { exec: { command: 'no-such-program' } });
  await assert.rejects(missing.listNamespaces(), /context dev.*"no-such-program".*not found.*PATH/);
  const failing = open(context, 'http://127.0.0.1:1', {
    exec: { command: 'sh', args: ['-c', 'echo "token has expired" >&2; exit 3'] },
  });
  await assert.rejects(failing.listNamespaces(), (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.reason, 'sign-in-needed');
    assert.match(error.message, /"sh".*token has expired/);
    return true;
  });
});

test('what the network or the server refuses names context, namespace and the reason', async (context) => {
  const expect = async (server: string, reason: string, message: RegExp): Promise<void> => {
    await assert.rejects(open(context, server).discover('ns'), (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.equal(error.reason, reason);
      assert.match(error.message, message);
      assert.match(error.message, /context dev, namespace ns/);
      return true;
    });
  };
  await expect('http://127.0.0.1:1', 'unreachable', /connection refused/);
  await expect('https://no-such-host.invalid', 'unreachable', /cannot be resolved/);
  const answers: [number, string, RegExp][] = [
    [403, 'forbidden', /Not allowed to list (pods|statefulsets).*User "x" cannot/],
    [404, 'not-found', /not found/],
    [503, 'unreachable', /cannot answer now/],
    [500, 'failed', /500/],
  ];
  for (const [status, reason, message] of answers) {
    const server = await serve(context, (_request, response) => {
      json(response, { kind: 'Status', message: 'User "x" cannot' }, status);
    });
    await expect(server, reason, message);
  }
});

test('an abort ends a request as an abort', async (context) => {
  const server = await serve(context, () => undefined);
  const stop = new AbortController();
  const asked = open(context, server).discover('ns', stop.signal);
  setTimeout(() => {
    stop.abort();
  }, 100);
  await assert.rejects(asked, { name: 'AbortError' });
});

test('replicas are not changed where they are no longer what was planned with', async (context) => {
  let patches = 0;
  const server = await serve(context, (request, response) => {
    if (request.method === 'PATCH') patches++;
    json(response, { metadata: { resourceVersion: '1' }, spec: { replicas: 9 } });
  });
  await assert.rejects(open(context, server).scale('ns', 'shop', 6, 12), /has 9 replicas now, not 6/);
  assert.equal(patches, 0);
});

test('replicas are changed although the status of their StatefulSet moves on meanwhile', async (context) => {
  let patches = 0;
  const server = await serve(context, (request, response) => {
    if (request.method === 'PATCH' && ++patches < 3) {
      json(response, { kind: 'Status', message: 'the object has been modified' }, 409);
      return;
    }
    json(response, { metadata: { resourceVersion: String(patches) }, spec: { replicas: 6 } });
  });
  await open(context, server).scale('ns', 'shop', 6, 12);
  assert.equal(patches, 3);
});

test('a kind that an operator brings later is found', async (context) => {
  const kinds: object[] = [];
  const server = await serve(context, (_, response, { pathname }) => {
    const isList = pathname === '/apis/valkey.io/v1';
    json(response, isList ? { resources: kinds } : { metadata: { name: 'cart' } });
  });
  const access = open(context, server);
  const get = () => access.get('valkey.io/v1', 'ValkeyCluster', 'team', 'cart');
  await assert.rejects(get, /has no ValkeyCluster of valkey\.io\/v1/);
  kinds.push({ name: 'valkeyclusters', kind: 'ValkeyCluster', namespaced: true });
  assert.equal((await get())?.metadata.name, 'cart');
});

test('a context whose cluster is missing says so', () => {
  const file = join(folder, 'dangling');
  writeFileSync(file, 'contexts: [{name: a, context: {cluster: gone, user: u}}]\n');
  const [kubeContext] = loadKubeconfigs([file]).contexts;
  assert.ok(kubeContext);
  assert.throws(() => openContext(kubeContext), /names the cluster "gone" but does not contain it/);
});
