import fc from 'fast-check';

/** Pieces that parsers trip over: numbers without bounds, what ends a field, names of prototypes, what is not ASCII. */
const pieces = [
  ...[
    '',
    ' ',
    '\n',
    '\r\n',
    ',',
    ':',
    '@',
    '-',
    '=',
    '[',
    ']',
    '->-',
    '-<-',
    '"',
    '{',
    '}',
    '\\',
    '\0',
    '\u001b[2J',
  ],
  ...['0', '-1', '16383', '16384', '99999999999999999999', '1e309', 'NaN', '0x10', '0-99999999999', '5-1'],
  ...['__proto__', 'constructor', 'toString', 'myself', 'null', 'true', '<img src=x>', '\u{1f511}', '\ud800'],
];

/** A text that was right and has been edited at a few places, or something else altogether. */
export function edited(right: string): fc.Arbitrary<string> {
  const piece = fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 8, unit: 'binary' }));
  const edit = fc.record({
    at: fc.nat(right.length),
    cut: fc.nat(12),
    piece,
    times: fc.integer({ min: 1, max: 3 }),
  });
  const changed = fc
    .array(edit, { minLength: 1, maxLength: 6 })
    .map((edits) =>
      edits.reduce(
        (text, { at, cut, piece: put, times }) =>
          text.slice(0, at) + put.repeat(times) + text.slice(at + cut),
        right,
      ),
    );
  return fc.oneof({ weight: 9, arbitrary: changed }, { weight: 1, arbitrary: fc.string({ maxLength: 200 }) });
}
