import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mastersOf as mastersIn } from '../../../src/model/shards.ts';
import { planAddShard } from '../../../src/operations/addShard.ts';
import { replicasOf } from '../../../src/operations/servers/nodes.ts';
import { planRemoveShard } from '../../../src/operations/removeShard.ts';
import { planScaleShape } from '../../../src/operations/scaleShape.ts';
import { runKilled } from '../../support/redis/faultTools.ts';
import { settled } from './cluster.ts';
import { withWrittenSet } from './simulatedSet.ts';

/** Milliseconds that the pods' agents are awake after each death of the tool. */
const agentsAwake = 5000;

test(
  'killed before and after every step, with the agents awake in between, pods become a shard, leave as one and change shape',
  { timeout: 470_000 },
  async (t) => {
    await withWrittenSet(async (pods, { ports, pods: names }, chaos) => {
      const meanwhile = (): Promise<void> => sleep(agentsAwake);
      const facts = { claimTemplates: ['data'] };

      const adding = planAddShard(await ports.readSnapshot(), {}, {});
      let kills = await runKilled(adding, ports, meanwhile);
      const grown = await ports.readSnapshot();
      assert.deepEqual(
        mastersIn(grown).map(({ id }) => replicasOf(grown, id).length),
        [1, 1, 1, 1],
      );

      const [first] = mastersIn(grown);
      assert.ok(first);
      const removing = planRemoveShard(grown, { node: first.id, volumes: true }, facts);
      assert.equal(removing.steps.at(-1)?.kind, 'deleteVolumes');
      kills += await runKilled(removing, ports, meanwhile);
      const shrunk = await ports.readSnapshot();
      assert.deepEqual(
        [names().length, shrunk.nodes.length, shrunk.unknownNodes, shrunk.loosePods],
        [6, 6, [], []],
      );
      for (const ordinal of [6, 7]) assert.ok(!existsSync(join(pods.folder(ordinal), 'data')));

      const scaling = planScaleShape(shrunk, { masters: 3, replicasPerMaster: 0 }, {});
      kills += await runKilled(scaling, ports, meanwhile);
      await settled(pods, 3);
      const report = await chaos.stop();
      t.diagnostic(
        `tool killed ${kills} times; ${report.acknowledged.toLocaleString('en-US')} writes acknowledged meanwhile, ${report.losses.length} lost`,
      );
      assert.deepEqual(report.losses, []);
      assert.ok(report.acknowledged > 1000);
    });
  },
);
