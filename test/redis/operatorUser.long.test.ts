import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { planAddShard } from '../../src/operations/addShard.ts';
import { planFix } from '../../src/operations/fix.ts';
import { readStrayKeys } from '../../src/operations/repair/lostFacts.ts';
import { planFlush } from '../../src/operations/flush.ts';
import { planForget } from '../../src/operations/forget.ts';
import { planPromote } from '../../src/operations/promote.ts';
import { planRebalance } from '../../src/operations/rebalance.ts';
import { planRemoveShard } from '../../src/operations/removeShard.ts';
import { planReplicate } from '../../src/operations/replicate.ts';
import { planReshard } from '../../src/operations/reshard.ts';
import { planSetConfig } from '../../src/operations/setConfig.ts';
import { readSetConfigFacts } from '../../src/operations/settings/facts.ts';
import { withConnection } from '../../src/operations/servers/withConnection.ts';
import { whyNoOtherVersions, type ServerVersion } from '../support/serverVersions.ts';
import { type TestCluster } from '../support/startRedisCluster.ts';
import { untilSo } from '../support/redis/faultTools.ts';
import { fill } from '../support/redis/fill.ts';
import { healPlan } from '../support/redis/healPlan.ts';
import { keyIn, nodeAt, plainWrites } from '../support/redis/moveFixture.ts';
import { readAnyway } from '../support/redis/readAnyway.ts';

import {
  asOperator,
  create,
  createOnSpare,
  library,
  plan,
  portsOf,
  probe,
  refusals,
  run,
  start,
  stopAll,
} from '../support/redis/operatorUserCase.ts';

after(stopAll);

/** Every operation, in an order in which each finds what it needs. */
async function operateAll(cluster: TestCluster): Promise<void> {
  const own = asOperator(cluster);
  const [first, second, third] = [0, 1, 2].map((index) => nodeAt(cluster, index));
  const replica = nodeAt(cluster, 4);
  assert.ok(first && second && third);
  await run(own, planReshard(await readAnyway(own), { to: first.id, from: [second.id], slots: 300 }));
  await run(own, planRebalance(await readAnyway(own), {}));
  const facts = await readSetConfigFacts(
    await readAnyway(own),
    { name: 'hz', value: '20' },
    own.dialer,
    undefined,
  );
  await run(own, planSetConfig(await readAnyway(own), { name: 'hz', value: '20' }, facts));

  await run(own, planPromote(await portsOf(own).readSnapshot(), { node: replica.id }));
  await run(own, planPromote(await portsOf(own).readSnapshot(), { node: second.id }));
  await run(own, planReplicate(await portsOf(own).readSnapshot(), { node: replica.id, master: third.id }));
  await run(own, planReplicate(await portsOf(own).readSnapshot(), { node: replica.id, master: second.id }));

  const spares = cluster.nodes.slice(6);
  const servers = await Promise.all(spares.map((node) => probe(own, node)));
  const addresses = servers.map(({ address }) => address);
  await run(own, planAddShard(await portsOf(own).readSnapshot(), { addresses }, { servers }));
  const fresh = servers[0]?.id ?? '';
  assert.match(
    JSON.stringify(await withConnection(cluster, fresh, (line) => line.call('FUNCTION', 'LIST'))),
    /shop/,
  );
  await run(own, planRemoveShard(await portsOf(own).readSnapshot(), { node: fresh }, {}));
}

/** Faults are made by the administrator and repaired by the operator. */
async function repairAll(cluster: TestCluster): Promise<void> {
  const own: TestCluster = asOperator({ ...cluster, nodes: cluster.nodes.slice(0, 6) });
  const [first, second] = [nodeAt(cluster, 0), nodeAt(cluster, 1)];
  const { slots = [] } = (await readAnyway(own)).nodes.find(({ id }) => id === first.id) ?? {};
  const slot = slots[0]?.[0] ?? 0;
  await fill(cluster, [['SET', Buffer.from(keyIn('open', [[slot, slot]])), 'x']]);
  await withConnection(cluster, second.id, (line) =>
    line.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', first.id),
  );
  await withConnection(cluster, first.id, (line) =>
    line.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', second.id),
  );
  assert.ok((await run(own, await healPlan(own))).steps > 0);

  for (const { id } of cluster.nodes.slice(0, 6))
    await withConnection(cluster, id, (line) => line.call('CLUSTER', 'DELSLOTS', slot));
  await untilSo(own, 'an unserved slot', ({ nodes }) =>
    nodes.every(({ view }) => view?.slotsAssigned === 16_383),
  );
  const reading = await readAnyway(own);
  await run(own, planFix(reading, await readStrayKeys(reading, own.dialer)));

  const lost = nodeAt(cluster, 5);
  cluster.kill(lost);
  await untilSo(own, 'a failure', ({ nodes }) =>
    nodes.some(({ id, health }) => id === lost.id && health === 'failed'),
  );
  await run(own, planForget(await readAnyway(own), { node: lost.id }));
  await run(own, planFlush(await readAnyway({ ...own, nodes: own.nodes.slice(0, 5) })));
}

const versions: readonly (ServerVersion | undefined)[] = [undefined, 'redisNewest', 'valkeyNewest'];
for (const version of versions) {
  const skip = version === undefined ? false : (whyNoOtherVersions() ?? false);
  test(
    `as the operator every operation works on ${version ?? 'Redis 7.0'}`,
    { skip, timeout: 300_000 },
    async () => {
      const cluster = await start({ spares: 2, ...(version === undefined ? {} : { version }) });
      const members = { ...cluster, nodes: cluster.nodes.slice(0, 6) };
      await create(members, await plan(members));
      for (const spare of cluster.nodes.slice(6)) await createOnSpare(cluster, spare);
      for (const { id } of cluster.nodes.slice(0, 3))
        await withConnection(cluster, id, (line) => line.call('FUNCTION', 'LOAD', library));
      await fill(cluster, plainWrites(2000));
      await operateAll(cluster);
      await repairAll(cluster);
      assert.deepEqual(await refusals(cluster), []);
    },
  );
}
