import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { localRedisCli } from '../../../src/ui/localRedisCli.ts';

const server = { host: '10.0.0.1', port: 7000 };
const secret = ' a \\ "b" $c ';
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fake-cli-'));
  const fake = join(folder, 'redis-cli');
  await writeFile(fake, '#!/bin/sh\nprintf "%s\\n" "$REDISCLI_AUTH" "$@"\n');
  await chmod(fake, 0o700);
});
after(() => rm(folder, { recursive: true, force: true }));

/** What redis-cli is given: its password, then its arguments. */
async function started(shellPath: string, shellArgs: readonly string[]): Promise<readonly string[]> {
  const env = { PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}` };
  const { stdout } = await promisify(execFile)(shellPath, shellArgs, { env });
  return stdout.split('\n').slice(0, -1);
}

test(
  'the password reaches redis-cli, and stands in no argument',
  { skip: process.platform === 'win32' },
  async () => {
    const { shellPath, shellArgs, end } = await localRedisCli(server, { username: 'ops', password: secret });
    assert.ok(!shellArgs.some((one) => one.includes(secret)));
    const [password, ...args] = await started(shellPath, shellArgs);
    assert.equal(password, secret);
    assert.deepEqual(args, ['-h', '10.0.0.1', '-p', '7000', '-c', '--user', 'ops']);
    await end();
    await assert.rejects(started(shellPath, shellArgs), 'a password is read once');
  },
);

test('through a forwarded socket no redirection is followed', async () => {
  const { shellArgs, end } = await localRedisCli({ path: '/tmp/socket' }, { username: 'ops' });
  assert.deepEqual(shellArgs, ['-s', '/tmp/socket', '--user', 'ops']);
  await end();
});

test('certificates are files that end with the terminal', async () => {
  const { shellPath, shellArgs, end } = await localRedisCli(server, {
    tls: { ca: 'CA', cert: 'CERT', key: 'KEY', serverName: 'cache' },
  });
  assert.equal(shellPath, 'redis-cli');
  const at = (option: string): string => shellArgs[shellArgs.indexOf(option) + 1] ?? '';
  assert.equal(await readFile(at('--key'), 'utf8'), 'KEY');
  assert.equal(await readFile(at('--cacert'), 'utf8'), 'CA');
  assert.equal(at('--sni'), 'cache');
  await end();
  assert.ok(!existsSync(dirname(at('--key'))));
});
