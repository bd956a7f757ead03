import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseDocument } from 'yaml';
import manifest from '../../package.json' with { type: 'json' };

const root = join(import.meta.dirname, '..', '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

test('workflows, tasks and CONTRIBUTING.md use words that there are, and CONTRIBUTING.md names all', () => {
  const words = Object.keys(manifest.scripts);
  const files = ['CONTRIBUTING.md', ...globSync('.github/**/*.{yml,md}', { cwd: root })];
  for (const file of files) {
    for (const [, word = ''] of read(file).matchAll(/npm run (?:--silent )?([\w:]+)(?!\S*\$\{)/g)) {
      assert.ok(words.includes(word) || word === 'test:', `${file}: npm run ${word}`);
    }
  }
  for (const word of words) {
    const isNamed = new RegExp(`npm (run )?${word}\\b|\`${word}\``).test(read('CONTRIBUTING.md'));
    assert.ok(isNamed, `CONTRIBUTING.md does not name ${word}`);
  }
  const { tasks } = JSON.parse(read('.vscode/tasks.json')) as {
    tasks: readonly { readonly label: string; readonly script: string }[];
  };
  for (const { script } of tasks) assert.ok(words.includes(script), script);
  const { configurations } = JSON.parse(read('.vscode/launch.json')) as {
    configurations: readonly { readonly preLaunchTask?: string }[];
  };
  for (const { preLaunchTask } of configurations) {
    if (preLaunchTask !== undefined) assert.ok(tasks.some(({ label }) => label === preLaunchTask));
  }
});

test('workflows and issue templates are YAML', () => {
  for (const file of globSync('.github/**/*.yml', { cwd: root })) {
    const { errors } = parseDocument(read(file));
    assert.deepEqual(errors, [], file);
  }
});
