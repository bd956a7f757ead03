import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columns, shapes, type ShapeRow } from '../kubernetes/foreign/compatibility.ts';
import { compatibilityDocument } from '../kubernetes/foreign/compatibilityDocument.ts';

const row: ShapeRow = {
  id: 'hyperspike',
  versions: 'valkey 1.2.3',
  kubernetes: 'v1.2.3',
  cells: { found: '“stock”', check: 'agrees | always' },
  at: '2001-02-03T04:05:06.000Z',
};

test('the table says what was found of each shape, and which were not run', () => {
  const text = compatibilityDocument([row]);
  assert.match(text, /found on 2001-02-03 by .*Kubernetes v1\.2\.3,/);
  const lines = [...text.matchAll(/^\| Hyperspike.*$/gm)].map(([line]) => line);
  assert.match(lines[0] ?? '', /\| valkey 1\.2\.3 \| “stock” \| not run \| agrees \\\| always \| not run \|/);
  const cells = lines.flatMap((line) => line.replaceAll('\\|', '').split('|').slice(4, -1));
  assert.equal(cells.length, Object.keys(columns).length, 'every column is in one of the tables');
  const left = /^Not run this time: (.*)\.$/m.exec(text)?.[1] ?? '';
  assert.equal(left.split('; ').length, Object.keys(shapes).length - 1);
});
