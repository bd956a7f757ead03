import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { keySlot } from '../../src/model/keySlot.ts';
import { mastersOf, uncoveredSlots } from '../../src/model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../src/model/snapshot.ts';
import { formatSlots, hasSlot } from '../../src/model/slots.ts';
import { planFix } from '../../src/operations/fix.ts';
import { readStrayKeys } from '../../src/operations/repair/lostFacts.ts';
import { runPlan, type RunPorts } from '../../src/operations/run/runPlan.ts';
import { withConnection } from '../../src/operations/servers/withConnection.ts';
import { faultScenario } from '../support/faults/faultScenario.ts';
import { freezeProcess } from '../support/faults/podProcesses.ts';
import { plannedCluster, type PlannedCluster } from '../support/plannedCluster.ts';

const keys = Array.from({ length: 3000 }, (_, index) => `key:${index}`);
const keysOf = ({ slots }: RedisNode): readonly string[] =>
  keys.filter((key) => hasSlot(slots, keySlot(key)));

/** Sends one command for each of the master's keys. */
async function forEachKey(
  ports: RunPorts,
  master: RedisNode,
  command: (key: string) => readonly string[],
): Promise<readonly unknown[]> {
  return await withConnection(ports, master.id, (connection) =>
    connection.pipeline(keysOf(master).map(command)),
  );
}

async function snapshotWhere(
  ports: RunPorts,
  what: string,
  seconds: number,
  holds: (snapshot: ClusterSnapshot) => boolean,
): Promise<ClusterSnapshot> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const snapshot = await ports.readSnapshot();
    if (holds(snapshot)) return snapshot;
    const states = snapshot.nodes.map(
      ({ pod, id, role, health, slots }) => `${pod?.name ?? id} ${role} ${health} ${formatSlots(slots)}`,
    );
    assert.ok(performance.now() < deadline, `not within ${seconds} s: ${what}; ${states.join('; ')}`);
    await sleep(1000);
  }
}

/** Both servers stand still, so that neither hands anything over, and go with their volumes. */
async function loseShard(
  { kubectl }: PlannedCluster,
  snapshot: ClusterSnapshot,
  lost: RedisNode,
): Promise<void> {
  const pods = snapshot.nodes.flatMap(({ id, masterId, pod }) =>
    pod !== undefined && (id === lost.id || masterId === lost.id) ? [pod] : [],
  );
  assert.equal(pods.length, 2);
  for (const pod of pods) await freezeProcess({ ...pod, ip: pod.ip ?? '' }, 'redis-server');
  const claims = pods.map((pod) => `data-${pod.name}`);
  await kubectl(['delete', 'pvc', ...claims, '--wait=false']);
  const names = pods.map((pod) => pod.name);
  await kubectl(['delete', 'pods', ...names, '--force', '--grace-period=0']);
}

const title = 'a shard whose volumes are all gone: its slots are served again, and all other keys are there';

faultScenario(title, async ({ undo }) => {
  const cluster = await plannedCluster('lost');
  undo(() => cluster.close());
  const ports = cluster.runPorts;
  const before = await ports.readSnapshot();
  for (const master of mastersOf(before)) {
    const replies = await forEachKey(ports, master, (key) => ['SET', key, `value of ${key}`]);
    assert.ok(replies.every((reply) => reply === 'OK'));
  }
  const [lost] = mastersOf(before);
  assert.ok(lost);
  await loseShard(cluster, before, lost);

  const broken = await snapshotWhere(
    ports,
    'the shard has failed, and its pods are back',
    120,
    ({ nodes }) => {
      const answering = nodes.filter(({ view }) => view !== undefined);
      return nodes.find(({ id }) => id === lost.id)?.health === 'failed' && answering.length === 6;
    },
  );
  const plan = planFix(broken, await readStrayKeys(broken, ports.dialer));
  assert.match(plan.losses.join(), /^Keys in slots \S+ that only /);
  await runPlan(plan, ports);

  const whole = await snapshotWhere(
    ports,
    'one pod serves the slots, and the other follows it',
    60,
    (snapshot) => {
      const isWell =
        snapshot.nodes.every(({ health }) => health === 'ok') && snapshot.unknownNodes.length === 0;
      const followed = mastersOf(snapshot).filter(({ id }) =>
        snapshot.nodes.some(({ masterId }) => masterId === id),
      );
      return isWell && followed.length === 3 && snapshot.nodes.length === 6;
    },
  );
  assert.deepEqual(uncoveredSlots(whole), []);
  const gone = new Set(keysOf(lost));
  for (const master of mastersOf(whole)) {
    const values = await forEachKey(ports, master, (key) => ['GET', key]);
    for (const [index, key] of keysOf(master).entries()) {
      assert.equal(values[index], gone.has(key) ? null : `value of ${key}`, key);
    }
  }
});
