import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openContext } from '../../../src/kubernetes/access.ts';
import { loadKubeconfigs } from '../../../src/kubernetes/kubeconfigs.ts';
import { makeAuthority } from '../../support/authority.ts';
import { hiddenHost, startConnectProxy } from '../../support/connectProxy.ts';

test('an API server is reached through the proxy of its kubeconfig, WebSockets too, and is still checked for its name', async () => {
  const authority = await makeAuthority('proxy');
  const { 'tls.key': key, 'tls.crt': cert, 'ca.crt': ca } = await authority.issue(['api.test']);
  const upgrades: string[] = [];
  const api = createServer({ key, cert }, (_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ data: { key: Buffer.from('value').toString('base64') } }));
  });
  api.on('upgrade', ({ url = '' }, socket) => {
    upgrades.push(url.split('?')[0] ?? '');
    socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
  });
  api.listen(0, '127.0.0.1');
  await once(api, 'listening');
  const proxy = await startConnectProxy(new URL(`https://127.0.0.1:${(api.address() as AddressInfo).port}`));
  const folder = await mkdtemp(join(tmpdir(), 'proxy-'));
  const open = async (name: string): Promise<ReturnType<typeof openContext>> => {
    const cluster = {
      server: `https://${hiddenHost}:6443`,
      'proxy-url': proxy.url,
      'tls-server-name': name,
      'certificate-authority-data': Buffer.from(ca).toString('base64'),
    };
    const contexts = [{ name: 'c', context: { cluster: 'c', user: 'u' } }];
    const config = { clusters: [{ name: 'c', cluster }], users: [{ name: 'u', user: {} }], contexts };
    await writeFile(join(folder, name), JSON.stringify(config));
    const [context] = loadKubeconfigs([join(folder, name)]).contexts;
    assert.ok(context);
    return openContext(context);
  };
  try {
    const access = await open('api.test');
    assert.equal(await access.readSecret('shop', { secret: 'cart', key: 'key' }), 'value');
    await assert.rejects(access.exec('shop', 'cart-0', 'redis', ['true'], () => undefined));
    await assert.rejects(access.forward('shop', 'cart-0', 6379));
    assert.deepEqual(upgrades, [
      '/api/v1/namespaces/shop/pods/cart-0/exec',
      '/api/v1/namespaces/shop/pods/cart-0/portforward',
    ]);
    assert.deepEqual(new Set(proxy.asked), new Set([`${hiddenHost}:6443`]));
    access.close();
    const other = await open('another.test');
    await assert.rejects(other.readSecret('shop', { secret: 'cart', key: 'key' }), /certificate/);
    other.close();
  } finally {
    proxy.close();
    api.closeAllConnections();
    api.close();
    await rm(folder, { recursive: true });
    await authority.dispose();
  }
});
