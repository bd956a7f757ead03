import assert from 'node:assert/strict';
import { existsSync, globSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ESLint } from 'eslint';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

interface Manifest {
  readonly main: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly contributes: {
    readonly commands: readonly {
      readonly command: string;
      readonly title: string;
      readonly category: string;
    }[];
    readonly configuration: { readonly properties: Readonly<Record<string, unknown>> };
  };
}
const manifest = JSON.parse(read('package.json')) as Manifest;

describe('the layers', () => {
  const probe = join(root, 'src', 'model', 'forbiddenImportProbe.ts');
  after(() => {
    rmSync(probe, { force: true });
  });

  test('a forbidden import is refused by lint', { timeout: 120_000 }, async () => {
    const forbidden = [
      "import 'ioredis';",
      "import 'vscode';",
      "import '../redis/connect.ts';",
      "import '../ui/log.ts';",
    ];
    writeFileSync(probe, `${forbidden.join('\n')}\n`);
    const [result] = await new ESLint({ cwd: root }).lintFiles([probe]);
    const refused =
      result?.messages.filter((one) => one.ruleId === '@typescript-eslint/no-restricted-imports') ?? [];
    assert.deepEqual(
      refused.map((one) => one.line),
      [1, 2, 3, 4],
    );
  });
});

test('every contributed command is a file of the same name, and the other way round', () => {
  const words = manifest.contributes.commands
    .map(({ command }) => command.replace('redisCluster.', ''))
    .sort();
  const files = readdirSync(join(root, 'src', 'ui', 'commands')).map((file) => file.replace(/\.ts$/, ''));
  assert.deepEqual(words, files.sort());
  for (const { title, category } of manifest.contributes.commands) {
    assert.equal(category, 'Redis Cluster', title);
  }
});

test('the scripts are the words people remember, and no more', () => {
  assert.deepEqual(Object.keys(manifest.scripts).sort(), [
    ...[
      'bench',
      'check',
      'package',
      'start',
      'test',
      'test:kubernetes',
      'test:redis',
      'test:simulation',
      'test:unit',
      'test:vscode',
      'texts',
    ],
  ]);
});

test('the README names every command and every setting', () => {
  const readme = read('README.md');
  for (const { command, title } of manifest.contributes.commands) {
    assert.ok(readme.includes(`\`${command}\``), `${command} is not in the README`);
    assert.ok(readme.includes(title), `${title} is not in the README`);
  }
  for (const setting of Object.keys(manifest.contributes.configuration.properties)) {
    assert.ok(readme.includes(`\`${setting}\``), `${setting} is not in the README`);
  }
});

test('every link and picture of the documents leads to a file', () => {
  for (const file of [
    'README.md',
    'ARCHITECTURE.md',
    'CHANGELOG.md',
    ...globSync('docs/**/*.md', { cwd: root }),
  ]) {
    for (const [, target = ''] of read(file).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      assert.ok(existsSync(join(root, dirname(file), target)), `${file} links to ${target}`);
    }
  }
});
