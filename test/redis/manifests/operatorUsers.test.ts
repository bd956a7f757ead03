import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { withUserLine } from '../../../src/operations/users/kept.ts';
import { hashOf, isUser, readUser, rulesFor } from '../../../src/operations/users/onServer.ts';
import { rulesForAnyVersion } from '../../../src/operations/users/rules.ts';
import { connectNode } from '../../../src/redis/connect.ts';
import { startServers } from '../../../src/sandbox/servers.ts';
import { manifestFolder } from '../../support/manifestFiles.ts';
import { serverPrograms, whyNoOtherVersions, type ServerVersion } from '../../support/serverVersions.ts';
import { simulatePods } from './simulatedPods.ts';

const hash = hashOf('ge nerated');
const kept = withUserLine('', 'ops', rulesForAnyVersion(), hash);
const times = { connectTimeoutMs: 3000, commandTimeoutMs: 15_000 };

/** The line that config.sh writes for a server, whose programs are first on the path. */
function lineFor(path: string, users: string): string {
  const script = `. "${join(manifestFolder, 'scripts', 'config.sh')}"; users_config`;
  const env = { PATH: `${path}:${process.env['PATH'] ?? ''}` };
  const { status, stdout, stderr } = spawnSync('sh', ['-euc', script], {
    input: users,
    env,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

describe('users that the Secret has for pods to come', { timeout: 120_000 }, () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'operator-users-'));
  });
  after(() => rm(folder, { recursive: true }));

  for (const version of [undefined, 'redisNewest', 'valkeyNewest'] as const satisfies readonly (
    ServerVersion | undefined
  )[]) {
    const skip = version === undefined ? false : (whyNoOtherVersions() ?? false);
    test(
      `${version ?? 'Redis 7.0'} starts with the user, and with every rule that it knows`,
      { skip },
      async () => {
        const program = version === undefined ? 'redis-server' : (await serverPrograms(version)).server;
        const path = await mkdtemp(join(folder, 'path-'));
        if (version !== undefined) await symlink(program, join(path, 'redis-server'));
        const include = join(path, 'users.conf');
        await writeFile(include, lineFor(path, kept));
        const config = { include };
        const running = await startServers({
          program,
          folder: await mkdtemp(join(folder, 'data-')),
          count: 1,
          config,
        });
        try {
          const [server] = running.servers;
          assert.ok(server);
          const line = await connectNode(server, {}, times);
          const user = await readUser(line, 'here', 'ops');
          const wanted = await rulesFor(line, 'here');
          line.close();
          assert.ok(user && isUser(user, wanted, hash), JSON.stringify([...(user?.rules ?? [])]));
          (await connectNode(server, { username: 'ops', password: 'ge nerated' }, times)).close();
        } finally {
          await running.stop();
        }
      },
    );
  }

  test('versions are compared as numbers, and the last line needs no end', async () => {
    const path = await mkdtemp(join(folder, 'path-'));
    const users = 'user a on redis-8.4:+x valkey-9.0:+y ~*\nnonsense\nuser b on ~*';
    const write = (text: string): Promise<void> =>
      writeFile(join(path, 'redis-server'), `#!/bin/sh\necho '${text}'\n`, { mode: 0o755 });
    const expected: readonly (readonly [string, string])[] = [
      ['Redis server v=8.3.9 sha=0', 'user a on ~*'],
      ['Redis server v=8.4.0 sha=0', 'user a on +x ~*'],
      ['Redis server v=8.10.0 sha=0', 'user a on +x ~*'],
      ['Redis server v=10.0.0 sha=0', 'user a on +x ~*'],
      ['Valkey server v=8.9.0 sha=0', 'user a on ~*'],
      ['Valkey server v=9.1.2 sha=0', 'user a on +y ~*'],
      ['something else', 'user a on ~*'],
    ];
    for (const [text, line] of expected) {
      await write(text);
      assert.equal(lineFor(path, users), `${line}\nuser b on ~*\n`, text);
    }
  });

  test('a pod that starts has the user beside the password of the Secret', async () => {
    const pods = await simulatePods({ password: 'open sesame' });
    try {
      pods.setSecret({ password: 'open sesame', users: kept });
      await pods.start(0);
      for (let tries = 0; !(await pods.askWith('open sesame', 0, ['PING'])).includes('PONG'); tries++)
        assert.ok(tries < 200, pods.serverLog(0));
      assert.match(
        await pods.askWith('open sesame', 0, ['ACL', 'LIST']),
        new RegExp(`user ops on .*${hash} ~\\*`),
      );
    } finally {
      await pods.dispose();
    }
  });
});
