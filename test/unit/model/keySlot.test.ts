import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashedPart, keySlot } from '../../../src/model/keySlot.ts';

test('keys have the slots that CLUSTER KEYSLOT says', () => {
  assert.equal(keySlot('123456789'), 0x31c3);
  assert.equal(keySlot('foo'), 12_182);
  assert.equal(keySlot('bar'), 5061);
  assert.equal(keySlot(''), 0);
  assert.equal(keySlot('schlüssel–鍵'), 4378);
  assert.equal(keySlot(Uint8Array.of(0, 0xff, 0x80)), 4727);
});

test('keys with the same hash tag share a slot', () => {
  assert.equal(keySlot('{user1000}.following'), keySlot('{user1000}.followers'));
  assert.equal(keySlot('{user1000}.following'), keySlot('user1000'));
});

test('only the first non-empty pair of braces is a hash tag', () => {
  const part = (key: string): string => new TextDecoder().decode(hashedPart(new TextEncoder().encode(key)));
  assert.equal(part('foo{}{bar}'), 'foo{}{bar}');
  assert.equal(part('foo{{bar}}zap'), '{bar');
  assert.equal(part('foo{bar}{zap}'), 'bar');
  assert.equal(part('foo{bar'), 'foo{bar');
  assert.equal(part('foo}bar{zap'), 'foo}bar{zap');
  assert.equal(part('}{a}'), 'a');
});
