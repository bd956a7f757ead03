import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openContext } from '../../../src/kubernetes/access.ts';
import { loadKubeconfigs } from '../../../src/kubernetes/kubeconfigs.ts';

test('an API without TLS, such as that of kubectl proxy, is spoken to, also without a scheme', async () => {
  const asked: string[] = [];
  const api = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ data: { key: Buffer.from('value').toString('base64') } }));
  });
  api.listen(0, '127.0.0.1');
  await once(api, 'listening');
  const address = `127.0.0.1:${(api.address() as AddressInfo).port}`;
  const folder = await mkdtemp(join(tmpdir(), 'plain-http-'));
  try {
    for (const server of [`http://${address}`, address]) {
      const file = join(folder, 'config');
      const context = { name: 'proxy', context: { cluster: 'c', user: 'u' } };
      await writeFile(
        file,
        JSON.stringify({ clusters: [{ name: 'c', cluster: { server } }], contexts: [context] }),
      );
      const [read] = loadKubeconfigs([file]).contexts;
      assert.ok(read !== undefined);
      const access = openContext(read);
      assert.equal(await access.readSecret('shop', { secret: 'cart', key: 'key' }), 'value');
      access.close();
    }
    assert.deepEqual(new Set(asked), new Set(['/api/v1/namespaces/shop/secrets/cart']));
  } finally {
    api.closeAllConnections();
    api.close();
    await rm(folder, { recursive: true });
  }
});
