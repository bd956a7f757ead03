import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../../src/model/errors.ts';
import { Crc64 } from '../../../src/redis/rdb/crc64.ts';
import { RdbReader, TooLargeValue, type RdbEntry } from '../../../src/redis/rdb/rdbReader.ts';
import { RdbSum } from '../../../src/redis/rdb/rdbSum.ts';

/** A string of less than 64 bytes as RDB files have it. */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);
}

/** With its header, its end and its sum. */
function file(...entries: readonly Buffer[]): Buffer {
  const content = Buffer.concat([Buffer.from('REDIS0011'), ...entries, Buffer.of(0xff)]);
  const crc = new Crc64();
  crc.add(content);
  return Buffer.concat([content, crc.sum()]);
}

const some = file(
  Buffer.concat([Buffer.of(0xfa), text('redis-ver'), text('7.2.0')]),
  Buffer.of(0xfe, 0, 0xfb, 3, 1),
  Buffer.concat([Buffer.of(0), text('plain'), text('value')]),
  Buffer.concat([
    Buffer.of(0xfc, 1, 2, 0, 0, 0, 0, 0, 0, 0xf9, 7, 2),
    text('set'),
    Buffer.of(2),
    text('a'),
    text('b'),
  ]),
  // "abc" four times, packed: three letters, then nine letters from three back.
  Buffer.concat([
    Buffer.of(0),
    Buffer.of(0xc3, 7, 12, 2, 0x61, 0x62, 0x63, 0xe0, 0, 2),
    Buffer.of(0xc1, 0x39, 0x30),
  ]),
);

function read(bytes: Buffer, piece = bytes.length): readonly RdbEntry[] {
  const reader = new RdbReader('the file');
  const entries: RdbEntry[] = [];
  for (let at = 0; at < bytes.length; at += piece)
    entries.push(...reader.push(bytes.subarray(at, at + piece)));
  return [...entries, ...reader.end()];
}

function isRight(bytes: Buffer, piece = bytes.length): boolean {
  const sum = new RdbSum();
  for (let at = 0; at < bytes.length; at += piece) sum.add(bytes.subarray(at, at + piece));
  return sum.isRight();
}

test('keys come with what stands before them, in whatever pieces', () => {
  for (let piece = 1; piece <= some.length; piece++) {
    const keys = read(some, piece).map((entry) => (entry.kind === 'key' ? entry : assert.fail()));
    assert.deepEqual(
      keys.map(({ key, expiresAt, frequency, value }) => [
        key.toString(),
        expiresAt,
        frequency,
        Buffer.concat(value).toString('hex'),
      ]),
      [
        ['plain', undefined, undefined, '000576616c7565'],
        ['set', 513, 7, '020201610162'],
        ['abcabcabcabc', undefined, undefined, '00c13930'],
      ],
    );
    assert.ok(isRight(some, piece));
  }
});

test('a file that is cut off anywhere is said to end too early', () => {
  for (let end = 0; end < some.length; end++) {
    assert.throws(
      () => read(some.subarray(0, end)),
      /the file cannot be read: .* \(byte [\d,]+\)\./,
      `at ${end}`,
    );
    assert.ok(!isRight(some.subarray(0, end)));
  }
});

test('a bit that is wrong anywhere is found, by what is read or by the sum', () => {
  for (let bit = 0; bit < some.length * 8; bit++) {
    const damaged = Buffer.from(some);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    try {
      read(damaged);
    } catch (error) {
      assert.ok(error instanceof UserError, String(error));
    }
    assert.ok(!isRight(damaged), `bit ${bit}`);
  }
});

test('a value that is too large to be held is named, and not called damage', () => {
  const large = Buffer.concat([
    Buffer.from('REDIS0011'),
    Buffer.concat([Buffer.of(0), text('large'), Buffer.of(0x80, 0x08, 0, 0, 0)]),
    Buffer.alloc(1024),
  ]);
  assert.throws(
    () => new RdbReader('the file').push(large),
    (error) => error instanceof TooLargeValue && error.key.toString() === 'large',
  );
});

test('a large value is put together from its pieces, and what follows it is read', () => {
  const value = Buffer.alloc(3 * 1024 * 1024, 'x');
  const head = Buffer.concat([Buffer.of(0), text('large'), Buffer.of(0x80, 0, 0x30, 0, 0)]);
  const after = Buffer.concat([Buffer.of(0), text('small'), text('value')]);
  const bytes = file(head, value, after);
  for (const piece of [bytes.length, 1_000_000, 65_537]) {
    const keys = read(bytes, piece).map((entry) => (entry.kind === 'key' ? entry : assert.fail()));
    assert.deepEqual(
      keys.map(({ key, value: parts }) => [key.toString(), Buffer.concat(parts).length]),
      [
        ['large', value.length + 6],
        ['small', 7],
      ],
    );
  }
  for (const end of [20, 1_500_000, bytes.length - 9])
    assert.throws(() => read(bytes.subarray(0, end), 100_000), /it ends too early/);
});

test('what is no RDB file, of an unknown kind or goes on behind its end says so', () => {
  assert.throws(() => read(Buffer.from('#!/bin/sh\necho')), /it is no RDB file/);
  assert.throws(() => read(file(Buffer.concat([Buffer.of(99), text('key'), text('value')]))), /type 99/);
  assert.throws(() => read(Buffer.concat([some, Buffer.of(1)])), /something follows its end/);
});

test('the sum is Redis’ own', () => {
  const crc = new Crc64();
  crc.add(Buffer.from('123456789'));
  assert.equal(crc.sum().toString('hex'), 'cad9b8c414d9c6e9');
});
