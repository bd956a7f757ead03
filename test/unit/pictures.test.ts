import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { animation, still } from '../../scripts/pictures/encode.ts';
import { chunk, decode, signature } from '../../scripts/pictures/png.ts';
import { outdated, readRecord } from '../../scripts/pictures/record.ts';

const root = join(import.meta.dirname, '..', '..');

describe('the pictures of the documents', () => {
  const record = readRecord(root);
  const files = globSync('docs/pictures/*.png', { cwd: root }).map((path) => path.replace(/^.*[/\\]/, ''));

  test('each was taken by npm run pictures, light and dark', () => {
    assert.deepEqual(files.sort(), Object.keys(record).sort());
    const names = (theme: string): string[] =>
      files.filter((file) => file.endsWith(`-${theme}.png`)).map((file) => file.replace(`-${theme}.png`, ''));
    assert.deepEqual(names('light'), names('dark'));
  });

  test('each name is shown by a document', () => {
    const documents = ['README.md', ...globSync('docs/**/*.md', { cwd: root })];
    const text = documents.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');
    const shown = new Set(
      [...text.matchAll(/pictures\/([a-z]+)-(?:dark|light)\.png/g)].map(([, name]) => name),
    );
    assert.deepEqual([...shown].sort(), [...new Set(files.map((file) => file.split('-')[0]))].sort());
  });

  // A warning, since whoever changes a row cannot take pictures at once; before a release `npm run pictures -- --check` fails.
  test('those older than what they show are listed', (context) => {
    const old = outdated(root, record);
    if (old.length > 0) {
      const names = new Set(old.map(({ picture }) => picture.replace(/-.*/, '')));
      context.diagnostic(
        `older than what they show: ${[...names].join(', ')}; npm run pictures takes them again`,
      );
    }
    const [known] = Object.entries(record);
    assert.ok(known !== undefined);
    const changed = outdated(root, {
      'a.png': Object.fromEntries(Object.keys(known[1]).map((path) => [path, ''])),
    });
    assert.deepEqual(changed, [{ picture: 'a.png', changed: Object.keys(known[1]) }]);
    assert.throws(() => outdated(root, { 'a.png': { 'src/nothing/*.ts': '' } }), /No file/);
  });
});

describe('the encoder', () => {
  /** A PNG as browsers write it: `filters` are those of its rows. */
  const screenshot = (rows: readonly (readonly number[])[], filter = 0): Buffer => {
    const [first = []] = rows;
    const head = Buffer.alloc(13);
    head.writeUInt32BE(first.length / 3, 0);
    head.writeUInt32BE(rows.length, 4);
    head.set([8, 2, 0, 0, 0], 8);
    const above = (y: number, x: number): number => (filter === 2 ? (rows[y - 1]?.[x] ?? 0) : 0);
    const raw = rows.flatMap((row, y) => [filter, ...row.map((value, x) => (value - above(y, x)) & 0xff)]);
    const data = chunk('IDAT', deflateSync(Buffer.from(raw)));
    return Buffer.concat([signature, chunk('IHDR', head), data, chunk('IEND', Buffer.alloc(0))]);
  };
  const [red, blue] = [
    [255, 0, 0],
    [0, 0, 255],
  ];
  const two = [
    [...red, ...red, ...red],
    [...red, ...blue, ...red],
  ];
  const chunksOf = (png: Buffer): readonly { readonly type: string; readonly data: Buffer }[] => {
    const found = [];
    for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12) {
      const end = at + 8 + png.readUInt32BE(at);
      found.push({ type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, end) });
    }
    return found;
  };

  test('reads filtered rows as they were', () => {
    assert.deepEqual([...decode(screenshot(two, 2)).rgb], two.flat());
    assert.throws(() => decode(still(screenshot(two))), /not read/);
  });

  test('a still keeps its few colours exactly', () => {
    const colours = chunksOf(still(screenshot(two))).find(({ type }) => type === 'PLTE')?.data;
    assert.deepEqual([...(colours ?? [])].slice(0, 6), [...red, ...blue]);
  });

  test('later frames of an animation hold only what changed', () => {
    const frames = [two, two.map(() => [...red, ...red, ...red])].map((rows) => screenshot(rows));
    const chunks = chunksOf(animation(frames.map((png) => ({ png, milliseconds: 200 }))));
    const areas = chunks
      .filter(({ type }) => type === 'fcTL')
      .map(({ data }) => [4, 8, 12, 16].map((at) => data.readUInt32BE(at)));
    assert.deepEqual(areas, [
      [3, 2, 0, 0],
      [1, 1, 1, 1],
    ]);
    assert.equal(chunks.filter(({ type }) => type === 'fdAT').length, 1);
  });
});
