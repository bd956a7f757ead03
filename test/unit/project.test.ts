import assert from 'node:assert/strict';
import { existsSync, globSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ESLint } from 'eslint';
import { madeDocuments } from '../../scripts/documents/madeDocuments.ts';

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

test('a room of operations is shared: none reaches into the file of one change, and no file stands beside its folder', () => {
  const operations = join(root, 'src', 'operations');
  const entries = readdirSync(operations, { recursive: true, encoding: 'utf8' });
  const rooms = entries.filter((path) => path.endsWith('.ts') && path.includes('/'));
  const reaching = rooms.filter((path) =>
    [...read(join('src', 'operations', path)).matchAll(/from '\.\.\/([\w.]+)'/g)].some(
      ([, file = '']) => path.split('/').length === 2 && file.endsWith('.ts'),
    ),
  );
  assert.deepEqual(reaching, []);
  for (const folder of ['src/operations', 'src/ui']) {
    const names = readdirSync(join(root, folder));
    assert.deepEqual(
      names.filter((name) => names.includes(`${name}.ts`)),
      [],
      folder,
    );
  }
});

test('the scripts are the words people remember, and no more', () => {
  const words =
    'bench build check docs format lint package pictures spell start test test:kubernetes test:redis test:simulation test:unit test:vscode texts watch';
  assert.deepEqual(Object.keys(manifest.scripts).sort(), words.split(' '));
});

test('the lists of commands and settings are those of package.json', async () => {
  for (const [file, text] of Object.entries(await madeDocuments(root))) {
    assert.equal(read(file), text, `${file} is not what npm run docs writes`);
  }
});

/** The anchors that GitHub gives the headings of a document. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const headings = [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

test('every link and picture of the documents leads to a file, and to a heading of it', () => {
  const documents = ['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'];
  for (const file of [...documents, ...globSync('docs/**/*.md', { cwd: root })]) {
    for (const [, target = '', anchor] of read(file).matchAll(/\]\(([^)#\s]*)(?:#([^)\s]+))?[^)]*\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const path = target === '' ? file : join(dirname(file), target);
      assert.ok(existsSync(join(root, path)), `${file} links to ${target}`);
      if (anchor === undefined || !path.endsWith('.md')) continue;
      assert.ok(anchorsOf(read(path)).has(anchor), `${file} links to ${target}#${anchor}`);
    }
  }
});
