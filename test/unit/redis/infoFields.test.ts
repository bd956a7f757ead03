import assert from 'node:assert/strict';
import { test } from 'node:test';
import { infoFields } from '../../../src/redis/infoFields.ts';

const text =
  'first:1\r\n# Replication\r\nrole:master\r\nslave_repl_offset:7\r\nslave0:ip=a\r\nslave2:ip=b\r\nmaxmemory_policy:x:y\r\nlast:end';

test('a field is found first, last and in between, and only by its whole name', () => {
  const info = infoFields(text);
  assert.deepEqual(
    ['first', 'role', 'maxmemory_policy', 'last', 'policy', 'slave', 'irst', 'las'].map((name) =>
      info.text(name),
    ),
    ['1', 'master', 'x:y', 'end', undefined, undefined, undefined, undefined],
  );
  assert.deepEqual([info.number('slave_repl_offset'), info.number('role'), info.number('none')], [7, 0, 0]);
  assert.equal(infoFields('').text('role'), undefined);
});

test('numbered fields are listed with gaps between, and others that begin like them are not', () => {
  assert.deepEqual(infoFields(text).numbered('slave'), ['ip=a', 'ip=b']);
  assert.deepEqual(infoFields(text).numbered('db'), []);
});
