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

test('an API without TLS, such as that of kubectl proxy, is spoken to, also without a scheme and as another user', async () => {
  const asked: string[] = [];
  const seenAs: unknown[] = [];
  const api = createServer((request, response) => {
    asked.push(request.url ?? '');
    seenAs.push(request.headers['impersonate-user']);
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
      const users = [{ name: 'u', user: { as: 'ann' } }];
      const config = { clusters: [{ name: 'c', cluster: { server } }], users, contexts: [context] };
      // Of several documents, the first.
      await writeFile(file, `---\n${JSON.stringify(config)}\n---\nkind: Other\n`);
      const [read] = loadKubeconfigs([file]).contexts;
      assert.ok(read !== undefined);
      const access = openContext(read);
      assert.equal(await access.readSecret('shop', { secret: 'cart', key: 'key' }), 'value');
      access.close();
    }
    assert.deepEqual(new Set(asked), new Set(['/api/v1/namespaces/shop/secrets/cart']));
    assert.deepEqual(seenAs, ['ann', 'ann']);
  } finally {
    api.closeAllConnections();
    api.close();
    await rm(folder, { recursive: true });
  }
});
