import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openContext } from '../../../src/kubernetes/access.ts';
import { loadKubeconfigs } from '../../../src/kubernetes/kubeconfigs.ts';
import { startCertifiedApi } from '../../support/certifiedApi.ts';

const { request } = https;

/** As VS Code does with `http.proxySupport`: an agent of its own instead of each request's. */
function putOwnAgent(): void {
  https.request = ((url: URL, options: https.RequestOptions) =>
    request(url, { ...options, agent: new https.Agent() })) as typeof request;
  syncBuiltinESMExports();
}

test('the client certificate, authority and server name of a kubeconfig count where the editor puts its own agent', async () => {
  const api = await startCertifiedApi('127.0.0.1', 'editor');
  const folder = await mkdtemp(join(tmpdir(), 'editor-'));
  await writeFile(join(folder, 'config'), api.kubeconfig);
  const [context] = loadKubeconfigs([join(folder, 'config')]).contexts;
  assert.ok(context);
  const access = openContext(context);
  putOwnAgent();
  try {
    assert.equal(await access.readSecret('shop', { secret: 'cart', key: 'key' }), 'value');
    assert.deepEqual(api.shown, ['editor']);
  } finally {
    https.request = request;
    syncBuiltinESMExports();
    access.close();
    await api.stop();
    await rm(folder, { recursive: true });
  }
});
