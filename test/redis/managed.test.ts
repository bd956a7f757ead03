import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { check, isSound } from '../../src/checks/check.ts';
import type { Inventory } from '../../src/inventory/inventory.ts';
import { mastersOf } from '../../src/model/shards.ts';
import { agreed } from '../../src/operations/servers/agreed.ts';
import { planReshard } from '../../src/operations/reshard.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import * as redis from '../../src/redis/entry.ts';
import { waiting } from '../../src/ui/run/waiting.ts';
import { readByAddress } from '../support/redis/byAddress.ts';
import { startEndpoint } from '../support/redis/endpoint.ts';
import { startTlsCluster, type TlsCluster } from '../support/redis/tlsCluster.ts';

describe(
  'a managed service: TLS, one name that leads to another node each time',
  { timeout: 120_000 },
  () => {
    let cluster: TlsCluster;
    let endpoint: Awaited<ReturnType<typeof startEndpoint>>;
    let inventory: Inventory;
    before(async () => {
      cluster = await startTlsCluster('opens-it');
      endpoint = await startEndpoint(cluster.addresses);
      inventory = readByAddress(() => cluster.credentials);
    });
    after(async () => {
      inventory.dispose();
      endpoint.server.close();
      await cluster.stop();
    });

    test('is one cluster of all its nodes, however often it is read', async () => {
      const ref = { addresses: [endpoint.address] };
      const release = inventory.need({ ref });
      for (let round = 0; round < 4; round++) {
        const snapshot = await inventory.fresh(ref);
        assert.deepEqual([snapshot.nodes.length, snapshot.unread, snapshot.impostors], [4, [], []]);
        assert.deepEqual([snapshot.unknownNodes, snapshot.otherParts], [[], []]);
        assert.ok(isSound(check(snapshot)), JSON.stringify(check(snapshot)));
        await inventory.reconnect(ref);
      }
      release();
    });

    test('is resharded on the nodes that are meant', async () => {
      const ref = { addresses: [endpoint.address] };
      const release = inventory.need({ ref });
      const dialer = await inventory.dialer(ref);
      const readSnapshot = () => inventory.fresh(ref);
      for (const [from, to] of [
        [0, 1],
        [1, 0],
      ] as const) {
        const snapshot = await agreed(readSnapshot);
        const masters = mastersOf(snapshot).toSorted((a, b) => a.id.localeCompare(b.id));
        const [source, target] = [masters[from], masters[to]];
        assert.ok(source !== undefined && target !== undefined);
        const plan = planReshard(snapshot, { from: [source.id], to: target.id, slots: 100 });
        const ports = { dialer, redis, readSnapshot, report: () => undefined, ...waiting };
        const result = await runPlan(plan, { ...ports, signal: AbortSignal.timeout(60_000) });
        assert.equal(result.movedSlots, 100);
      }
      release();
    });
  },
);
