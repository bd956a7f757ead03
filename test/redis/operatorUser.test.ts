import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { planForm } from '../../src/operations/form.ts';
import { hashOf } from '../../src/operations/users/onServer.ts';
import { readFormServers } from '../../src/operations/forming/readServers.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import { withConnection } from '../../src/operations/servers/withConnection.ts';
import * as redis from '../../src/redis/entry.ts';
import { nodeAt } from '../support/redis/moveFixture.ts';
import { readAnyway } from '../support/redis/readAnyway.ts';

import {
  admin,
  asOperator,
  create,
  createOnSpare,
  portsOf,
  plan,
  refusals,
  start,
  stopAll,
} from '../support/redis/operatorUserCase.ts';

after(stopAll);

describe('creating the operator user', { timeout: 120_000 }, () => {
  test('it is on every server with the least rights; run twice it is skipped, and a new password replaces it', async () => {
    const cluster = await start({});
    const made = await plan(cluster);
    assert.match(made.warnings.join(' '), /A server that restarts no longer has the user: it has no aclfile/);
    assert.doesNotMatch(JSON.stringify(made), /ge nerated|#[0-9a-f]{64}/);
    assert.equal((await create(cluster, made)).steps, 1);
    assert.equal((await create(cluster, made)).skipped, 1);
    const own = asOperator(cluster);
    for (const { id } of cluster.nodes) {
      await withConnection(own, id, async (line) => {
        for (const command of [['GET', 'a'], ['ACL', 'LIST'], ['SHUTDOWN'], ['CONFIG', 'REWRITE']])
          await assert.rejects(line.call(...command), /NOPERM/, command.join(' '));
      });
    }
    assert.match(
      (await plan(cluster)).warnings.join(' '),
      /ops exists on 6 servers. Its password is replaced/,
    );
    await assert.rejects(plan(own), /may not run ACL GETUSER on .*, which creating a user requires/);
  });

  test('a user of something else is left alone, also where it is created after the plan', async () => {
    const cluster = await start({});
    const { id } = nodeAt(cluster, 4);
    await withConnection(cluster, id, (line) => line.call('ACL', 'SETUSER', 'ops', 'on', '>x', '+get', '~*'));
    await assert.rejects(plan(cluster), /User "ops" on .* has rights that this extension does not need/);
    await withConnection(cluster, id, (line) => line.call('ACL', 'DELUSER', 'ops'));
    const made = await plan(cluster);
    await withConnection(cluster, id, (line) => line.call('ACL', 'SETUSER', 'ops', 'on', '>x', '+get', '~*'));
    await assert.rejects(create(cluster, made), /has been given other rights meanwhile/);
  });

  test('a server with an aclfile saves the user, and then nothing is said of restarts', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'aclfile-'));
    try {
      const aclfile = join(folder, 'users.acl');
      await writeFile(aclfile, `user default on ${hashOf(admin)} ~* &* +@all\n`);
      const cluster = await start({ replicasPerMaster: 0, config: { aclfile } });
      const made = await plan(cluster);
      assert.equal(made.warnings.length, 1);
      await create(cluster, made);
      assert.match(await readFile(aclfile, 'utf8'), /^user ops on .*\+cluster\|setslot/m);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test('as the operator a cluster is formed', { timeout: 120_000 }, async () => {
  const cluster = await start({ masters: 0, replicasPerMaster: 0, spares: 3 });
  for (const node of cluster.nodes) await createOnSpare(cluster, node);
  const own = asOperator(cluster);
  const snapshot = { ...(await readAnyway(own)), ref: { addresses: own.addresses } };
  await runPlan(planForm(snapshot, {}, await readFormServers(snapshot, own.dialer, redis)), {
    ...portsOf(own),
    readSnapshot: () => readAnyway(own),
  });
  assert.deepEqual(await refusals(cluster), []);
});
