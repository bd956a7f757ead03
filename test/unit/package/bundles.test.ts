import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';
import { bundles } from '../../../scripts/bundles.mjs';

test('what the extension host puts proxies and certificates into is required by the names that it knows', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bundles-'));
  try {
    const [host] = bundles(folder, true);
    const { outputFiles } = await build({ ...host, write: false, logLevel: 'silent' });
    const texts = outputFiles.filter(({ path }) => path.endsWith('.cjs')).map(({ text }) => text);
    assert.ok(texts.some((text) => text.includes('require("https")')));
    for (const text of texts) assert.doesNotMatch(text, /require\("node:(?:https?|net|tls)"\)/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
