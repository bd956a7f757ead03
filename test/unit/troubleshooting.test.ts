import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Texts may begin in one line of the code and go on in the next. */
const sources = globSync('src/**/*.ts', { cwd: root }).map(read).join('\n');

test('every message that docs/troubleshooting.md explains is one of the product', () => {
  const lines = read('docs/troubleshooting.md')
    .split('\n')
    .filter((line) => line.startsWith('**`'));
  const messages = lines.flatMap((line) =>
    [...line.matchAll(/\*\*`([^`]+)`\*\*/g)].map(([, text = '']) => text),
  );
  assert.ok(messages.length > 40);
  for (const message of messages) {
    for (const part of message.split('…')) {
      assert.ok(
        sources.includes(part),
        `No text has “${part}” of “${message}”: reword docs/troubleshooting.md.`,
      );
    }
  }
});
