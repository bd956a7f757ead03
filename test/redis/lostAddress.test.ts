import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { check } from '../../src/checks/check.ts';
import { agreed } from '../../src/operations/servers/agreed.ts';
import { planFix } from '../../src/operations/fix.ts';
import { planForget } from '../../src/operations/forget.ts';
import { planHeal } from '../../src/operations/heal.ts';
import { readHealFacts } from '../../src/operations/repair/openFacts.ts';
import { planPromote } from '../../src/operations/promote.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { folderOf, readByAddress, readUntil } from '../support/redis/byAddress.ts';
import { dumpAll, fill } from '../support/redis/fill.ts';
import { assertWhole, nodeAt, plainWrites } from '../support/redis/moveFixture.ts';
import { runPorts } from '../support/redis/runPorts.ts';

const inventory = readByAddress();
let cluster: TestCluster | undefined;
after(async () => {
  inventory.dispose();
  await cluster?.stop();
});

async function start(): Promise<TestCluster> {
  const config = { appendonly: 'yes', 'cluster-node-timeout': '1000' };
  cluster = await startRedisCluster({ replicasPerMaster: 0, config });
  await fill(cluster, plainWrites(300));
  return cluster;
}

describe('masters whose addresses all others have lost, and which run', { timeout: 120_000 }, () => {
  /** Every nodes.conf says `:0@0 … noaddr` of all others, as after a restart in which other servers had the addresses. */
  async function loseAddresses(cluster: TestCluster): Promise<void> {
    const folders = await Promise.all(cluster.nodes.map((node) => folderOf(cluster, node)));
    for (const node of cluster.nodes) cluster.kill(node);
    await sleep(300);
    for (const folder of folders) {
      const file = join(folder, 'nodes.conf');
      const text = await readFile(file, 'utf8');
      const lines = text
        .split('\n')
        .map((line) =>
          /^[0-9a-f]{40} /.test(line) && !line.includes('myself')
            ? line.replace(/^(\S+) \S+ (\S+)/, '$1 :0@0 $2,noaddr').replace('connected', 'disconnected')
            : line,
        );
      await writeFile(file, lines.join('\n'));
    }
    for (const node of cluster.nodes) await cluster.restart(node);
  }

  test('keep their slots through check, fix and forget; heal finds them again, and no key is gone', async () => {
    const cluster = await start();
    const data = await dumpAll(cluster);
    await loseAddresses(cluster);

    // By one seed the others cannot be found: whether they live nobody knows.
    const seed = { addresses: cluster.addresses.slice(0, 1) };
    const read = await readUntil(inventory, seed, 'the loss of the addresses', ({ nodes }) =>
      nodes.every(({ view }) => view?.others.every(({ flags }) => flags.includes('noaddr')) !== false),
    );
    assert.deepEqual(
      read.nodes.filter(({ view }) => view === undefined).map(({ health }) => health),
      ['unreachable', 'unreachable'],
    );
    const findings = check(read).filter(({ rule }) => rule === 'reachable');
    assert.equal(findings.length, 2);
    for (const { severity, message, evidence, remedy = '' } of findings) {
      assert.equal(severity, 'error');
      assert.match(message, /was not found/);
      assert.match(evidence.join(), /no address for it.*slots are as its peers list them; .* not verified/);
      assert.match(remedy, /^If its server runs, add the cluster again .*“Heal Cluster…”/);
    }
    assert.doesNotMatch(
      check(read)
        .map(({ remedy }) => remedy)
        .join(),
      /Forget/,
    );
    const dialer = await inventory.dialer(read.ref);
    assert.throws(
      () => planFix(read, new Map()),
      /lost its address, so it may run where other nodes cannot find it\..*"dead": \["[0-9a-f]{40}"\].*Nothing was changed/,
    );
    assert.throws(() => planForget(read, { node: nodeAt(cluster, 1).id }), /owns slots/);
    assert.throws(() => planPromote(read, { how: 'takeover' }), /No replica of/);
    const facts = await readHealFacts(read, dialer);
    assert.throws(
      () => planHeal(read, facts),
      /have lost the addresses of .*: add the cluster again with them.*Nothing was changed/,
    );

    // They answer where their addresses are named.
    const all = await agreed(() => inventory.fresh({ addresses: cluster.addresses }));
    assert.ok(all.nodes.every(({ view }) => view !== undefined));
    assert.match(check(all).find(({ rule }) => rule === 'mutual')?.remedy ?? '', /“Heal Cluster…”/);
    const everyone = nodeAt(cluster, 1).id;
    assert.throws(() => planFix(all, new Map(), undefined, { dead: [everyone] }), /are served/);
    const plan = planHeal(all, await readHealFacts(all, cluster.dialer));
    assert.deepEqual(new Set(plan.steps.map(({ kind }) => kind)), new Set(['meet']));
    const ports = runPorts(cluster, {
      readSnapshot: () => inventory.fresh({ addresses: cluster.addresses }),
    });
    await runPlan(plan, ports);
    await assertWhole(cluster, nodeAt(cluster, 0));
    assert.deepEqual(await dumpAll(cluster), data);
    const healed = await readUntil(inventory, cluster, 'peace', (now) =>
      check(now).every(({ rule }) => rule === 'no-replica'),
    );
    assert.ok(healed.nodes.every(({ slots }) => slots.length > 0));
  });
});
