import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InternedNodes } from '../../../src/model/internedNodes.ts';

test('a conclusion is drawn again exactly where one of its inputs is another object, or there are more or fewer', () => {
  const drawn: string[] = [];
  const conclude = new InternedNodes().concluding((...inputs: readonly { readonly name: string }[]) => {
    drawn.push(inputs.map(({ name }) => name).join(''));
    return { of: drawn.at(-1) };
  });
  const [a, b, c] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];
  const first = conclude(a, b);
  assert.equal(conclude(a, b), first);
  assert.equal(conclude(c, b).of, 'cb');
  assert.equal(conclude(a, b), first, 'what begins with another input is kept beside it');
  assert.equal(conclude(a, c).of, 'ac');
  assert.equal(conclude(a, b).of, 'ab');
  assert.equal(conclude(a).of, 'a');
  assert.equal(conclude(a, b, c).of, 'abc');
  assert.notEqual(conclude(a, { name: 'b' }), first);
  assert.deepEqual(drawn, ['ab', 'cb', 'ac', 'ab', 'a', 'abc', 'ab']);
});
