import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { PodSignIn } from '../../../src/inventory/podSignIn.ts';
import { answeringRequest, redisCliInPod } from '../../../src/ui/redisCliInPod.ts';

const folder = mkdtempSync(join(tmpdir(), 'cli-'));
after(() => {
  rmSync(folder, { recursive: true });
});
// As a program in a pod: it says what it was started with, and what of it is secret.
writeFileSync(join(folder, 'redis-cli'), '#!/bin/sh\necho "$*"\necho "${REDISCLI_AUTH-none}"\n');
chmodSync(join(folder, 'redis-cli'), 0o755);
for (const name of ['ca.crt', 'tls.crt', 'tls.key', 'password']) {
  writeFileSync(join(folder, name), name === 'password' ? 'from file\n' : 'PEM');
}

const known = (credentials: PodSignIn['credentials'], tlsFiles: PodSignIn['tlsFiles'] = {}): PodSignIn => ({
  credentials,
  tlsFiles,
});

/** What redis-cli is started with in a container without a terminal, and its password. */
function started(
  signIn: PodSignIn | undefined,
  isRead: boolean,
  env: Readonly<Record<string, string>> = {},
): readonly string[] {
  const { command } = redisCliInPod(6379, signIn, isRead);
  const [program = '', ...args] = command;
  const path = `${folder}:${process.env['PATH'] ?? ''}`;
  const { stdout } = spawnSync(program, args, { env: { PATH: path, ...env }, encoding: 'utf8' });
  return stdout.trimEnd().split('\n');
}

test('redis-cli takes the password that the container holds, with the user that it belongs to', () => {
  const cases: readonly (readonly [Readonly<Record<string, string>>, string, string])[] = [
    [{}, '-p 6379 -c', 'none'],
    [{ REDIS_PASSWORD: 'a b"$x' }, '-p 6379 -c', 'a b"$x'],
    [{ REDIS_DEFAULT_PASSWORD: 'x', REDIS_DEFAULT_USER: 'default' }, '-p 6379 -c --user default', 'x'],
    [{ VALKEY_PASSWORD: 'x' }, '-p 6379 -c', 'x'],
    [{ KEYDB_PASSWORD: 'x' }, '-p 6379 -c', 'x'],
    [{ REDISCLI_AUTH: 'x' }, '-p 6379 -c', 'x'],
    [{ VALKEYCLI_AUTH: 'x', VALKEY_USER: '_operator' }, '-p 6379 -c --user _operator', 'x'],
    [{ VALKEYCLI_AUTH: 'x', VALKEY_USER: '_operator', VALKEY_PASSWORD: 'y' }, '-p 6379 -c', 'y'],
    [{ REDIS_PASSWORD_FILE: join(folder, 'password'), REDISCLI_AUTH: 'old' }, '-p 6379 -c', 'from file'],
    [{ REDIS_PASSWORD_FILE: '/nowhere', REDISCLI_AUTH: 'x' }, '-p 6379 -c', 'x'],
    [{ TLS_MODE: 'true' }, '-p 6379 -c --tls --insecure', 'none'],
    [{ REDIS_TLS_ENABLED: 'no' }, '-p 6379 -c', 'none'],
  ];
  for (const [env, args, password] of cases) {
    assert.deepEqual(started(undefined, false, env), [args, password], JSON.stringify(env));
  }
});

test('what the reading signed in with goes before what the container holds', () => {
  const operator = { VALKEYCLI_AUTH: 'x', VALKEY_USER: '_operator' };
  assert.deepEqual(
    started(known({}), true, operator),
    ['-p 6379 -c', 'none'],
    'the default user can do more',
  );
  const files = { ca: join(folder, 'ca.crt'), cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  const [args] = started(known({ tls: {} }, files), true);
  assert.equal(args, `-p 6379 -c --tls --cacert ${files.ca} --cert ${files.cert} --key ${files.key}`);
  const [bare] = started(known({ tls: {} }, { ca: files.ca, cert: '/nowhere', key: files.key }), true);
  assert.equal(bare, `-p 6379 -c --tls --cacert ${files.ca}`);
});

test('a password is written to the program and is in no argument; what a terminal changes is not written', () => {
  const { command, password } = redisCliInPod(6379, known({ username: 'ops', password: 'hidden' }), true);
  assert.equal(password, 'hidden');
  assert.doesNotMatch(command.join(' '), /hidden/);
  assert.deepEqual(command.slice(3, 6), ['6379', 'given', 'ops']);
  const odd = redisCliInPod(6379, known({ username: 'ops', password: 'hid\nden' }), true);
  assert.equal(odd.password, undefined);
  assert.deepEqual(odd.command.slice(4, 6), ['container', '']);
});

test('a request for the password is answered once and not shown, however it is cut', () => {
  const request = '\u001b]redis-cluster;password\u0007';
  const cases: readonly (readonly [readonly string[], string, number])[] = [
    [[request, '127.0.0.1:6379> '], '127.0.0.1:6379> ', 1],
    [[request.slice(0, 5), request.slice(5), 'x'], 'x', 1],
    [[`${request}x`, request], `x${request}`, 1],
    [['127.0.0.1', request], `127.0.0.1${request}`, 0],
    [['', 'plain'], 'plain', 0],
  ];
  for (const [chunks, expected, expectedAnswers] of cases) {
    let shown = '';
    let answers = 0;
    const receive = answeringRequest(
      (data) => (shown += data),
      () => answers++,
    );
    for (const chunk of chunks) receive(chunk);
    assert.deepEqual([shown, answers], [expected, expectedAnswers]);
  }
});

test('where the server refuses the password of the reading, the one of the container is tried, and the other way round', () => {
  const tools = mkdtempSync(join(tmpdir(), 'cli-refused-'));
  try {
    // A server that takes only "taken"; a terminal that can be told not to show what is typed.
    const cli = `#!/bin/sh
case "$*" in *PING) if [ "$REDISCLI_AUTH" = taken ]; then echo PONG; else echo "WRONGPASS invalid"; fi; exit ;; esac
echo "$* $REDISCLI_AUTH"
`;
    for (const [name, text] of [
      ['redis-cli', cli],
      ['stty', '#!/bin/sh\n'],
    ] as const) {
      writeFileSync(join(tools, name), text);
      chmodSync(join(tools, name), 0o755);
    }
    const run = (password: string, env: Readonly<Record<string, string>>): string => {
      const { command } = redisCliInPod(6379, known({ username: 'ops', password }), true);
      const [program = '', ...args] = command;
      const path = `${tools}:${process.env['PATH'] ?? ''}`;
      const { stdout } = spawnSync(program, args, {
        env: { PATH: path, ...env },
        input: `${password}\n`,
        encoding: 'utf8',
      });
      return stdout.slice(stdout.indexOf('\u0007') + 1).trimEnd();
    };
    assert.equal(run('taken', { REDIS_PASSWORD: 'old' }), '-p 6379 -c --user ops taken');
    assert.equal(run('newer', { REDIS_PASSWORD: 'taken' }), '-p 6379 -c taken');
    assert.equal(
      run('newer', { VALKEYCLI_AUTH: 'taken', VALKEY_USER: '_operator' }),
      '-p 6379 -c --user _operator taken',
    );
  } finally {
    rmSync(tools, { recursive: true });
  }
});
