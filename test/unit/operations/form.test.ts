import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PodFacts } from '../../../src/model/snapshot.ts';
import { planForm, usualMasters } from '../../../src/operations/form.ts';
import { arrangeShards } from '../../../src/operations/forming/arrange.ts';
import { readFormServers } from '../../../src/operations/forming/readServers.ts';
import { refuseOperated } from '../../../src/operations/refusals/refuseOperated.ts';
import type { FormServer } from '../../../src/operations/forming/server.ts';
import { ids, line, pod, snapshotOf, source } from '../sample.ts';

function server(name: string, place: string): FormServer {
  return {
    ...{ id: name, name, host: place, port: 6379, busPort: 16_379, place, keys: 0, slots: [] },
    ...{ role: 'master', others: [], version: '7.0.15', lacksMasterAuth: false },
  };
}

const isolated = snapshotOf(
  ids.map((id, index) =>
    source(id, { self: line(`m${index}`, { id, slots: [] }), others: [], slotsAssigned: 0, keys: 0 }),
  ),
);
const facts = { servers: ids.map((id, index) => server(id, `worker-${index % 3}`)), obstacles: [] };

describe('forming a cluster', () => {
  test('masters are on different machines, and no replica with its master where that is possible', () => {
    for (const [machines, masters, total] of [
      [3, 3, 6],
      [3, 3, 9],
      [2, 4, 8],
      [4, 3, 7],
      [6, 5, 15],
    ] as const) {
      const servers = Array.from({ length: total }, (_, index) =>
        server(`s${index}`, `w${index % machines}`),
      );
      const shards = arrangeShards(servers, masters);
      assert.equal(
        shards.reduce((sum, { replicas }) => sum + 1 + replicas.length, 0),
        total,
      );
      for (const { master, replicas } of shards) {
        assert.ok(
          replicas.every(({ place }) => place !== master.place),
          `${machines}/${masters}/${total}`,
        );
      }
      const places = new Set(shards.map(({ master }) => master.place));
      assert.equal(places.size, Math.min(machines, masters));
      const numbers = shards.map(({ replicas }) => replicas.length);
      assert.ok(Math.max(...numbers) - Math.min(...numbers) <= 1);
      assert.deepEqual(shards[0]?.slots[0]?.[0], 0);
      assert.deepEqual(shards.at(-1)?.slots[0]?.[1], 16_383);
    }
    const crowded = ['a', 'a', 'a', 'a', 'b', 'c'].map((place, index) => server(`s${index}`, place));
    const together = arrangeShards(crowded, 3).flatMap(({ master, replicas }) =>
      replicas.filter(({ place }) => place === master.place),
    );
    assert.equal(together.length, 1, 'with four of six on one machine one pair has to be there');
    const plan = planForm(isolated, {}, { servers: crowded, obstacles: [] });
    assert.match(plan.warnings.join(' '), /On the same machine, so they fail together: s\d and s\d/);
  });

  test('half of the servers become masters, or all of fewer than six', () => {
    assert.deepEqual([3, 4, 5, 6, 7, 12].map(usualMasters), [3, 4, 5, 3, 3, 6]);
    const plan = planForm(isolated, { replicasPerMaster: 1 }, facts);
    assert.equal(plan.steps.length, 4);
    assert.deepEqual(plan.warnings, []);
    assert.match(planForm(isolated, { masters: 6 }, facts).warnings.join(' '), /Without replicas, the keys/);
  });

  test('what cannot be used is refused by name, and 127.0.0.1 beside other machines', () => {
    const changed = (change: Partial<FormServer>): (() => unknown) => {
      const [first, ...rest] = facts.servers;
      assert.ok(first);
      return () => planForm(isolated, {}, { servers: [{ ...first, ...change }, ...rest], obstacles: [] });
    };
    assert.throws(changed({ keys: 3 }), /m0 holds 3 keys\..*Nothing was changed/);
    assert.throws(changed({ slots: [[1, 2]] }), /m0 owns hash slots 1-2/);
    assert.throws(changed({ role: 'replica' }), /m0 is a replica/);
    assert.throws(changed({ others: ['x'] }), /m0 knows 1 other node/);
    assert.doesNotThrow(changed({ others: ['m1'] }), 'one of those that are to form the cluster');
    assert.throws(changed({ lacksMasterAuth: true }), /m0 requires a password, but has no masterauth/);
    assert.throws(changed({ host: '127.0.0.1' }), /servers on other machines cannot reach that address/);
    assert.throws(() => planForm(snapshotOf(ids.map((id) => source(id))), {}, facts), /is a cluster already/);
    const [workload] = isolated.workloads;
    assert.ok(workload);
    const growing = { ...isolated, workloads: [{ ...workload, replicas: 8 }] };
    assert.throws(() => planForm(growing, {}, facts), /6 pods of 8 exist\. Wait/);
  });

  test('pods that were not read, and those whose agents form the cluster, are obstacles', async () => {
    const loose: PodFacts = { ...pod('cart-6', '10.0.3.1'), phase: 'Pending', reason: 'Unschedulable' };
    const snapshot = { ...isolated, nodes: [], loosePods: [loose] };
    const unused = (): never => {
      throw new Error('nobody is asked');
    };
    const found = await readFormServers(
      snapshot,
      { credentials: {}, dial: unused },
      { connectNode: unused, readNodeView: unused, myId: unused },
    );
    assert.deepEqual(
      found.obstacles.map(({ name, why }) => [name, why.split(' ')[0]]),
      [
        ['cart-6', 'Unschedulable'],
        ['cart', 'its'],
      ],
    );
  });

  test('what an operator owns is left to it', async () => {
    const metadata = {
      name: 'cart',
      ownerReferences: [{ kind: 'RedisCluster', name: 'cart', controller: true }],
    };
    const access = {
      may: () => Promise.resolve(true),
      get: () => Promise.resolve({ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata }),
    };
    await assert.rejects(
      refuseOperated(access, 'shop', isolated.workloads),
      /StatefulSet cart belongs to RedisCluster “cart”, whose operator forms the cluster itself/,
    );
  });
});
