import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { check, isSound } from '../../src/checks/check.ts';
import { isSettling } from '../../src/checks/mutual.ts';
import type { Inventory } from '../../src/inventory/inventory.ts';
import { formatAddress, type AddressClusterRef } from '../../src/model/clusterRef.ts';
import type { Plan } from '../../src/operations/plans/plan.ts';
import { unreachedAddresses } from '../../src/model/unreached.ts';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { planForget } from '../../src/operations/forget.ts';
import { planHeal } from '../../src/operations/heal.ts';
import { readHealFacts } from '../../src/operations/repair/openFacts.ts';
import { planReshard } from '../../src/operations/reshard.ts';
import type { PlanResult } from '../../src/operations/run/planResult.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import { formCluster } from '../../src/redis/formCluster.ts';
import { startServers } from '../../src/sandbox/servers.ts';
import { makeAuthority } from '../support/authority.ts';
import { serverPrograms } from '../support/serverVersions.ts';
import { flagged, startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { connectSoon, readByAddress, readUntil } from '../support/redis/byAddress.ts';
import { startEndpoint } from '../support/redis/endpoint.ts';
import { fill } from '../support/redis/fill.ts';
import { nodeAt, plainWrites, withNode } from '../support/redis/moveFixture.ts';
import { runPorts } from '../support/redis/runPorts.ts';

/** From the port of a server that is open to the one on which it listens for TLS. */
const tlsBeside = 22_000;

const ends: (() => Promise<void> | void)[] = [];
after(async () => {
  for (const end of ends) await end();
});

const hostsIn = ({ nodes }: ClusterSnapshot): ReadonlySet<string> =>
  new Set(
    nodes.flatMap(({ host, view }) => [
      host,
      ...(view === undefined ? ['unread'] : view.others.map((one) => one.host)),
    ]),
  );

test(
  'a cluster whose nodes announce IPv6 addresses is read, checked, resharded, introduced again and made to forget',
  { timeout: 120_000 },
  async () => {
    const cluster = await startRedisCluster({
      flags: '--bind 127.0.0.1 ::1 --cluster-announce-ip ::1',
    });
    ends.push(() => cluster.stop());
    await fill(cluster, plainWrites(500));
    const ref = { addresses: [`[::1]:${nodeAt(cluster, 0).port}`] };
    const inventory = readByAddress();
    ends.push(() => {
      inventory.dispose();
    });
    const isWhole = (read: ClusterSnapshot): boolean =>
      read.nodes.length === 6 && isSound(check(read)) && !isSettling(read) && hostsIn(read).size === 1;
    const whole = await readUntil(inventory, ref, 'that all announce ::1', isWhole);
    assert.deepEqual([...hostsIn(whole)], ['::1']);
    assert.ok(whole.nodes.every(({ reachedAt }) => reachedAt?.startsWith('[::1]:') === true));

    const run = runner(cluster, inventory, ref);
    const [to, from] = [nodeAt(cluster, 0), nodeAt(cluster, 1)];
    const moved = await run(planReshard(whole, { to: to.id, from: [from.id], slots: 200 }));
    assert.equal(moved.movedSlots, 200);

    const lost = nodeAt(cluster, 5);
    for (const node of cluster.nodes.slice(0, 5))
      await withNode(cluster, node, (line) => line.call('CLUSTER', 'FORGET', lost.id));
    const both = { addresses: [...ref.addresses, `[::1]:${lost.port}`] };
    const apart = await inventory.fresh(both);
    const plan = planHeal(apart, await readHealFacts(apart, await inventory.dialer(both)));
    const name = `[::1]:${lost.port}`;
    assert.ok(
      plan.steps.some(({ text }) => text.includes(`${name} is at ${name}`)),
      JSON.stringify(plan.steps),
    );
    await runner(cluster, inventory, both)(plan);
    await readUntil(inventory, ref, 'that all know each other again', isWhole);

    cluster.kill(lost);
    const failed = await readUntil(inventory, ref, 'that it is called failed', ({ nodes }) =>
      nodes.some(({ id, health }) => id === lost.id && health === 'failed'),
    );
    assert.deepEqual(
      check(failed)
        .map(({ rule }) => rule)
        .sort(),
      ['no-replica', 'reachable'],
      'what is named by [::1]:port is not taken for another server than the one at ::1',
    );
    assert.ok(check(failed).some(({ message }) => message === `Replica ${name} has failed.`));
    await run(planForget(failed, { node: lost.id }));
    assert.equal((await inventory.fresh(ref)).nodes.length, 5);
  },
);

/** Runs plans as the product does: by what it reads, and over connections that it dials to where it has read. */
function runner(
  cluster: TestCluster,
  inventory: Inventory,
  ref: AddressClusterRef,
): (plan: Plan) => Promise<PlanResult> {
  return async (plan) => {
    const dialer = await inventory.dialer(ref);
    return await runPlan(plan, runPorts(cluster, { readSnapshot: () => inventory.fresh(ref), dialer }));
  };
}

test(
  'nodes that listen for TLS only are found where one that is open lists them with port 0',
  { timeout: 120_000 },
  async () => {
    const authority = await makeAuthority('own');
    const folder = await mkdtemp(join(tmpdir(), 'tls-lines-'));
    ends.push(() => authority.dispose());
    const issued = await authority.issue(['localhost']);
    for (const [name, text] of Object.entries(issued)) await writeFile(join(folder, name), text);
    const ports = `$(case "$1" in (*/0/*) echo --tls-port $((port + ${tlsBeside})) ;; (*) echo --port 0 --tls-port "$port" ;; esac)`;
    const running = await startServers({
      program: await flagged(
        folder,
        (await serverPrograms('redisNewest')).server,
        `${ports} --tls-cluster yes --tls-replication yes`,
      ),
      folder: join(folder, 'servers'),
      count: 4,
      config: {
        'tls-cert-file': join(folder, 'tls.crt'),
        'tls-key-file': join(folder, 'tls.key'),
        'tls-ca-cert-file': join(folder, 'ca.crt'),
        'tls-auth-clients': 'no',
      },
    });
    ends.push(() => running.stop());
    const [open, ...closed] = running.servers;
    assert.ok(open);
    await formCluster(
      [{ ...open, port: open.port + tlsBeside }, ...closed],
      { tls: { ca: issued['ca.crt'] } },
      { masters: 2, replicasPerMaster: 1 },
      AbortSignal.timeout(60_000),
    );
    setDefaultCACertificates([...getCACertificates('default'), issued['ca.crt']]);
    const ref = { addresses: [formatAddress(open)] };
    const inventory = readByAddress();
    ends.push(() => {
      inventory.dispose();
    });
    const first = await connectSoon(open, {});
    const text = String(await first.call('CLUSTER', 'NODES'));
    first.close();
    assert.equal(text.match(/127\.0\.0\.1:0@/g)?.length, 3, text);

    const whole = await readUntil(inventory, ref, 'that all are read', (read) => isSound(check(read)));
    assert.deepEqual(
      whole.nodes.map(({ reachedAt }) => reachedAt).sort(),
      running.servers.map((server) => formatAddress(server)).sort(),
    );
    const dialer = await inventory.dialer(ref);
    for (const { id } of whole.nodes) {
      const connection = await dialer.dial(id);
      assert.equal(await connection.call('CLUSTER', 'MYID'), id);
      connection.close();
    }
  },
);

/** The servers reach each other there, and this machine does not. */
const behindNat = '127.0.7.1';

for (const way of ['a node', 'one name that leads to another node each time'])
  test(
    `nodes behind a NAT are reached as the address map says, by ${way}`,
    { timeout: 120_000 },
    async () => {
      const cluster = await startRedisCluster({
        flags: `--bind 127.0.0.1 ${behindNat} --cluster-announce-ip ${behindNat}`,
      });
      ends.push(() => cluster.stop());
      await fill(cluster, plainWrites(500));
      const map = new Map<string, string>();
      const inventory = readByAddress(
        undefined,
        (endpoint, credentials) =>
          connectSoon(
            'host' in endpoint && endpoint.host === behindNat
              ? { ...endpoint, host: '127.255.255.254' }
              : endpoint,
            credentials,
          ),
        (address) => map.get(address) ?? address,
      );
      ends.push(() => {
        inventory.dispose();
      });
      const ref = { addresses: [formatAddress(nodeAt(cluster, 0))] };
      if (way !== 'a node') {
        const endpoint = await startEndpoint(cluster.addresses);
        ends.push(() => void endpoint.server.close());
        ref.addresses = [endpoint.address];
      }
      inventory.need({ ref });
      const hidden = await inventory.fresh(ref);
      assert.equal(unreachedAddresses(hidden).length, 5);
      assert.deepEqual(
        check(hidden)
          .map(({ rule }) => rule)
          .sort(),
        ['no-replica', 'unreached'],
        'nothing that is said is about the servers',
      );
      const [to, from] = [nodeAt(cluster, 0), nodeAt(cluster, 1)];
      const request = { to: to.id, from: [from.id], slots: 200 };
      assert.throws(() => planReshard(hidden, request), /does not answer|not be read|could not/);
      for (const { port } of cluster.nodes)
        map.set(formatAddress({ host: behindNat, port }), formatAddress({ host: '127.0.0.1', port }));
      await inventory.reconnect(ref);
      const whole = await readUntil(inventory, ref, 'that all are read', (read) => isSound(check(read)));
      assert.deepEqual(whole.nodes.map(({ reachedAt }) => reachedAt).sort(), cluster.addresses.toSorted());
      const plan = planReshard(whole, request);
      assert.equal((await runner(cluster, inventory, ref)(plan)).movedSlots, 200);
    },
  );
