import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makePackage } from '../support/makePackage.ts';
import { filesOfZip } from '../support/zip.ts';

const address = 'https://example.org/owner/name';
const limitBytes = 800_000;

interface PackagedManifest {
  readonly repository?: { readonly url: string };
  readonly bugs?: { readonly url: string };
  readonly homepage?: string;
  readonly scripts?: unknown;
  readonly devDependencies?: unknown;
}

describe('the package', { timeout: 120_000 }, () => {
  let folder: string;
  let first: Buffer;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'package-test-'));
    first = await readFile(await makePackage(join(folder, 'first.vsix')));
  });
  after(() => rm(folder, { recursive: true }));

  const manifestIn = (files: ReadonlyMap<string, Buffer>): PackagedManifest =>
    JSON.parse(String(files.get('extension/package.json'))) as PackagedManifest;

  test('it is small, and holds what runs and what is read, and no picture but the icon and the walkthrough’s', () => {
    assert.ok(first.length <= limitBytes, `${first.length} bytes`);
    const files = filesOfZip(first);
    const names = [...files.keys()].map((name) => name.replace('extension/', ''));
    for (const name of ['extension', 'redis', 'kubernetes', 'errors'].map((each) => `dist/${each}.cjs`)) {
      assert.ok(names.includes(name), `${name} is missing`);
    }
    for (const name of ['readme.md', 'changelog.md', 'LICENSE.txt', 'ThirdPartyNotices.txt']) {
      assert.ok(names.includes(name), `${name} is missing`);
    }
    assert.ok(names.includes('manifests/scripts/agent.sh'));
    assert.deepEqual(
      names
        .filter((name) => /\.(png|gif|svg|jpe?g|webp|map|ts)$/.test(name))
        .filter((name) => !name.startsWith('resources/walkthrough/')),
      ['resources/icon.png', 'resources/view.svg'],
    );
    const { scripts, devDependencies, repository } = manifestIn(files);
    assert.deepEqual([scripts, devDependencies, repository], [undefined, undefined, undefined]);
  });

  test('it is the same bytes again, whatever the time zone, and has the address that it is given', async () => {
    const args = ['--repository', address];
    const one = await readFile(await makePackage(join(folder, 'one.vsix'), args));
    const elsewhere = { TZ: 'Asia/Tokyo', LANG: 'C' };
    const other = await readFile(await makePackage(join(folder, 'other.vsix'), args, elsewhere));
    assert.ok(one.equals(other));
    const { repository, bugs, homepage } = manifestIn(filesOfZip(one));
    assert.deepEqual(
      [repository?.url, bugs?.url, homepage],
      [`${address}.git`, `${address}/issues`, `${address}#readme`],
    );
  });

  test('publishing is refused before anything is made', async () => {
    const file = join(folder, 'never.vsix');
    await assert.rejects(makePackage(file, ['--publish']), /--publish needs --repository/);
    await assert.rejects(makePackage(file, ['--repository', 'owner/name']), /such as https:/);
    await assert.rejects(readFile(file), { code: 'ENOENT' });
  });
});
