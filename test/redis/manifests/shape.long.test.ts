import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mastersOf as mastersIn, nodeName } from '../../../src/model/shards.ts';
import { countSlots } from '../../../src/model/slots.ts';
import { planAddShard } from '../../../src/operations/addShard.ts';
import { replicasOf } from '../../../src/operations/servers/nodes.ts';
import { planPromote } from '../../../src/operations/promote.ts';
import { planRemoveShard } from '../../../src/operations/removeShard.ts';
import { runPlan } from '../../../src/operations/run/runPlan.ts';
import { planScaleShape } from '../../../src/operations/scaleShape.ts';
import { settled } from './cluster.ts';
import { withWrittenSet } from './simulatedSet.ts';

test(
  'with their agents awake, pods become a shard, leave as one, and change shape; nothing is lost',
  { timeout: 420_000 },
  async (t) => {
    await withWrittenSet(async (pods, { ports, pods: names }, chaos) => {
      const adding = planAddShard(await ports.readSnapshot(), {}, {});
      await runPlan(adding, ports);
      const grown = await ports.readSnapshot();
      assert.deepEqual(
        mastersIn(grown).map((master) => [countSlots(master.slots), replicasOf(grown, master.id).length]),
        [
          [4096, 1],
          [4096, 1],
          [4096, 1],
          [4096, 1],
        ],
      );
      assert.match(pods.agentLog(6) + pods.agentLog(7), /waiting: an operation is changing/);

      // The highest ordinals get a part to play, so that it has to be handed over before they end.
      const replica = grown.nodes.find((node) => node.pod?.name === 'redis-cluster-7');
      assert.ok(replica);
      if (replica.role === 'replica') await runPlan(planPromote(grown, { node: replica.id }), ports);
      const first = mastersIn(await ports.readSnapshot()).find(
        (node) => nodeName(node) === 'redis-cluster-0',
      );
      assert.ok(first);
      const removing = planRemoveShard(await ports.readSnapshot(), { node: first.id }, {});
      t.diagnostic(removing.steps.map(({ kind }) => kind).join(' '));
      await runPlan(removing, ports);
      assert.equal(names().length, 6);
      const shrunk = await ports.readSnapshot();
      assert.deepEqual(
        mastersIn(shrunk).map((master) => replicasOf(shrunk, master.id).length),
        [1, 1, 1],
      );
      assert.deepEqual([shrunk.nodes.length, shrunk.unknownNodes, shrunk.loosePods], [6, [], []]);

      await runPlan(planScaleShape(shrunk, { masters: 3, replicasPerMaster: 0 }, {}), ports);
      await settled(pods, 3);
      assert.equal(names().length, 3);
      const report = await chaos.stop();
      assert.deepEqual(report.losses, []);
      assert.ok(report.acknowledged > 0);
    });
  },
);
