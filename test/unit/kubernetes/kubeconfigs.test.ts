import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { kubeconfigFiles, loadKubeconfigs, watchKubeconfigs } from '../../../src/kubernetes/kubeconfigs.ts';

const folder = mkdtempSync(join(tmpdir(), 'kubeconfigs-'));
after(() => {
  rmSync(folder, { recursive: true });
});

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function kubeconfig(context: string, namespace?: string): string {
  const scope = namespace === undefined ? '' : `, namespace: ${namespace}`;
  return `apiVersion: v1
kind: Config
current-context: ${context}
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: secret}}]
contexts: [{name: ${context}, context: {cluster: c, user: u${scope}}}, {name: other-${context}, context: {cluster: c, user: u}}]
`;
}

test('contexts of all files are listed, the later of two alike with its file', () => {
  const first = write('first', kubeconfig('dev', 'team'));
  const second = write('second', kubeconfig('dev'));
  const { contexts, problems } = loadKubeconfigs([first, second]);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    contexts.map(({ name, entry, namespace, current }) => [name, entry, namespace, current]),
    [
      ['dev', 'dev', 'team', true],
      ['other-dev', 'other-dev', 'default', false],
      ['dev (second)', 'dev', 'default', true],
      ['other-dev (second)', 'other-dev', 'default', false],
    ],
  );
});

test('a broken file is a problem of its own and harms no other', () => {
  const good = write('good', kubeconfig('prod'));
  const bad = write('bad', 'clusters: [\n  - {');
  const text = write('text', 'just a sentence');
  const list = write('list', '- a\n- b\n');
  const missing = join(folder, 'nowhere');
  const { contexts, problems } = loadKubeconfigs([bad, good, text, list, missing]);
  assert.deepEqual(
    contexts.map((context) => context.name),
    ['prod', 'other-prod'],
  );
  assert.deepEqual(
    problems.map((problem) => problem.file),
    [bad, text, list, missing],
  );
  assert.match(problems[0]?.message ?? '', /cannot be read as a kubeconfig/);
  assert.match(problems[3]?.message ?? '', /does not exist/);
});

test('entries that are incomplete are left out, the others stay', () => {
  const file = write(
    'partly',
    'contexts: [{name: a, context: {cluster: c, user: u}}, {context: {}}]\nclusters: [{name: c}]\n',
  );
  assert.deepEqual(
    loadKubeconfigs([file]).contexts.map((context) => context.name),
    ['a'],
  );
});

test('without a setting KUBECONFIG counts, then the home folder; a missing default is no problem', () => {
  const first = write('env', kubeconfig('env'));
  const missing = join(folder, 'missing');
  const env = { KUBECONFIG: `${first}${delimiter}${missing}` };
  const { contexts, problems, files } = loadKubeconfigs([], env);
  assert.equal(contexts.length, 2);
  assert.deepEqual(problems, []);
  assert.deepEqual(files, [first, missing]);
  assert.deepEqual(loadKubeconfigs([], { KUBECONFIG: missing }).contexts, []);
  assert.match(kubeconfigFiles([' '], {})[0] ?? '', /\.kube.config$/);
  assert.match(kubeconfigFiles(['~/x'])[0] ?? '', /^\/.*\/x$/);
});

test('a file that is replaced, as tools do, is noticed once', async () => {
  const file = write('watched', kubeconfig('a'));
  let calls = 0;
  const end = watchKubeconfigs([file], () => calls++);
  try {
    await sleep(50);
    write('unrelated', '');
    write('watched.new', kubeconfig('b'));
    renameSync(join(folder, 'watched.new'), file);
    for (let waited = 0; calls === 0 && waited < 5_000; waited += 50) await sleep(50);
    await sleep(400);
    assert.equal(calls, 1);
  } finally {
    end();
  }
});
