import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { quantity } from '../../../src/model/quantity.ts';

test('one of something has no plural, and big numbers have separators', () => {
  assert.equal(quantity(0, 'slot'), '0 slots');
  assert.equal(quantity(1, 'slot'), '1 slot');
  assert.equal(quantity(16_384, 'slot'), '16,384 slots');
});

/** redis-cli's own words, constants, and words that stand behind a verb (`gives slots`). */
const allowed =
  /checkText\.ts|fewestMasters|mostNodes|mostPods|mostReplicas|\{(does|slotCount|progressLimit)/;

test('no text puts a plural behind a number that may be one', () => {
  const source = new URL('../../../src/', import.meta.url).pathname;
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  assert.ok(files.length > 100);
  const plural = /\$\{[^{}]*\} (slots|keys|pods|steps|nodes|masters|replicas|volumes|servers|moves)\b/;
  const found = files.flatMap((file) =>
    readFileSync(join(source, file), 'utf8')
      .split('\n')
      .map((line) => `${file}: ${line.trim()}`)
      .filter((line) => plural.test(line) && !allowed.test(line)),
  );
  assert.deepEqual(found, []);
});
