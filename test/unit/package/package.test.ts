import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';
import { bundles } from '../../../scripts/bundles.mjs';
import { packagedMarkdown } from '../../../scripts/package/links.ts';
import { bundledPackages, noticesOf } from '../../../scripts/package/notices.ts';
import { refuseUnpublishable } from '../../../scripts/package/publish.ts';

const root = join(import.meta.dirname, '../../..');
const repository = 'https://example.org/owner/name';

test('every package with code in the bundles is in the third-party notices, with its license', async () => {
  const results = await Promise.all(
    bundles(join(root, 'dist'), true).map((options) => build({ ...options, write: false })),
  );
  // Not by the function under test: from what esbuild says of its inputs.
  const names = results.flatMap(({ metafile }) =>
    Object.values(metafile.outputs).flatMap(({ inputs }) =>
      Object.entries(inputs)
        .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
        .flatMap(
          ([path]) =>
            path
              .split('node_modules/')
              .slice(1)
              .at(-1)
              ?.match(/^(@[^/]+\/)?[^/]+/)?.[0] ?? [],
        ),
    ),
  );
  assert.ok(names.includes('ioredis') && names.includes('@kubernetes/client-node'), names.join());
  assert.ok(!names.includes('undici'));
  const text = await noticesOf(
    root,
    results.flatMap(({ metafile }) => bundledPackages(metafile)),
  );
  for (const name of new Set(names)) {
    const [, notice = ''] =
      new RegExp(`-{80}\\n\\n${name} \\d+\\.[^\\n]*\\n([^]*?)(\\n-{80}\\n|$)`).exec(text) ?? [];
    assert.match(notice, /^License: \S/, `${name} has no license`);
    assert.ok(notice.length > 500, `the license of ${name} has no text`);
  }
});

test('links of packaged documents lead to the repository, or are plain text without one', () => {
  const text = [
    'See [the guide](docs/guide.md#start), [the site](https://example.com) and [below](#below).',
    'Such as this:',
    '![A picture](docs/a.png)',
    '<picture><source srcset="docs/dark.png"><img src="docs/light.png" alt="B"></picture>',
    '<a href="LICENSE">License</a>',
  ].join('\n\n');
  assert.equal(
    packagedMarkdown(text, repository),
    [
      `See [the guide](${repository}/blob/HEAD/docs/guide.md#start), [the site](https://example.com) and [below](#below).`,
      'Such as this:',
      `![A picture](${repository}/raw/HEAD/docs/a.png)`,
      `<picture><source srcset="${repository}/raw/HEAD/docs/dark.png"><img src="${repository}/raw/HEAD/docs/light.png" alt="B"></picture>`,
      `<a href="${repository}/blob/HEAD/LICENSE">License</a>`,
    ].join('\n\n'),
  );
  assert.equal(
    packagedMarkdown(text, undefined),
    'See the guide, [the site](https://example.com) and [below](#below).\n\nLicense',
  );
});

test('no link of the packaged documents leads to a file that is not there', () => {
  for (const name of ['README.md', 'CHANGELOG.md']) {
    const text = readFileSync(join(root, name), 'utf8');
    for (const packaged of [packagedMarkdown(text, repository), packagedMarkdown(text, undefined)]) {
      const targets = packaged.matchAll(/\]\(([^)\s]+)|\b(?:src|srcset|href)="([^"]+)"/g);
      for (const [, inMarkdown, inHtml] of targets) {
        assert.match(inMarkdown ?? inHtml ?? '', /^(https:|#)/, name);
      }
    }
  }
});

test('nothing is published without a public address and access tokens', () => {
  assert.throws(() => {
    refuseUnpublishable(undefined, {});
  }, /Nothing was published: --publish needs --repository/);
  assert.throws(() => {
    refuseUnpublishable(repository, { VSCE_PAT: 'x' });
  }, /Nothing was published: set OVSX_PAT/);
  refuseUnpublishable(repository, { VSCE_PAT: 'x', OVSX_PAT: 'y' });
});
