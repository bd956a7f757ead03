import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { mastersOf } from '../../src/model/shards.ts';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { countSlots } from '../../src/model/slots.ts';
import { agreed } from '../../src/operations/servers/agreed.ts';
import { planAddShard } from '../../src/operations/addShard.ts';
import { planMoveMastersOff } from '../../src/operations/moveMastersOff.ts';
import { planPromote } from '../../src/operations/promote.ts';
import { planRemoveShard } from '../../src/operations/removeShard.ts';
import { runPlan, type RunPorts } from '../../src/operations/run/runPlan.ts';
import { planScaleShape } from '../../src/operations/scaleShape.ts';
import { planSetConfig } from '../../src/operations/setConfig.ts';
import { readSetConfigFacts } from '../../src/operations/settings/facts.ts';
import { readShapeFacts } from '../../src/operations/shape/facts.ts';
import { bringsBack, planScaleBack } from '../../src/operations/scaleBack.ts';
import { readPodVolumes } from '../../src/operations/statefulSets/scaledDown.ts';
import { prepareUpgrade } from '../../src/operations/upgrade.ts';
import { plannedCluster, type PlannedCluster } from '../support/plannedCluster.ts';

const name = 'shape';
let cluster: PlannedCluster;
let ports: RunPorts;

before(async () => {
  cluster = await plannedCluster(name);
  ports = cluster.runPorts;
});

after(() => cluster.close());

const facts = (snapshot: ClusterSnapshot, volumes = false) =>
  readShapeFacts(cluster.access, snapshot, volumes);

/** Replicas hear of an operation by gossip, and until then the next one is refused. */
const readAgreed = (): Promise<ClusterSnapshot> => agreed(ports.readSnapshot, 30_000);

function shape(snapshot: ClusterSnapshot): readonly (readonly [slots: number, replicas: number])[] {
  return mastersOf(snapshot).map(({ id, slots }) => [
    countSlots(slots),
    snapshot.nodes.filter(({ masterId }) => masterId === id).length,
  ]);
}

test('a shard is added while the pods’ agents pause', async () => {
  const snapshot = await readAgreed();
  const plan = planAddShard(snapshot, {}, await facts(snapshot));
  await runPlan(plan, ports);
  assert.deepEqual(shape(await ports.readSnapshot()), [
    [4096, 1],
    [4096, 1],
    [4096, 1],
    [4096, 1],
  ]);
});

test('the masters of one worker hand over', async () => {
  const snapshot = await readAgreed();
  const worker = mastersOf(snapshot)[0]?.pod?.worker ?? '';
  await runPlan(planMoveMastersOff(snapshot, { worker }), ports);
  const left = mastersOf(await ports.readSnapshot()).filter(({ pod }) => pod?.worker === worker);
  assert.equal(left.length, 0);
});

test('the shard of the first pod is removed with as many volumes; the roles of the last pods move first', async () => {
  let snapshot = await readAgreed();
  const last = snapshot.nodes.find(({ pod }) => pod?.name === `${name}-7`);
  assert.ok(last);
  if (last.role === 'replica') {
    await runPlan(planPromote(snapshot, { node: last.id }), ports);
    snapshot = await readAgreed();
  }
  const node = snapshot.nodes.find(({ pod }) => pod?.name === `${name}-0`)?.id ?? '';
  const plan = planRemoveShard(snapshot, { node, volumes: true }, await facts(snapshot, true));
  await runPlan(plan, ports);
  const after = await ports.readSnapshot();
  assert.deepEqual(
    shape(after).map(([, replicas]) => replicas),
    [1, 1, 1],
  );
  assert.deepEqual([after.nodes.length, after.unknownNodes, after.loosePods], [6, [], []]);
  const claims = await cluster.access.list('v1', 'PersistentVolumeClaim', cluster.namespace);
  assert.ok(
    !claims.some(({ metadata }) => /-[67]$/.test(metadata.name) && !('deletionTimestamp' in metadata)),
  );
});

test('from three masters to four with two replicas each, and back to three with one', async () => {
  const snapshot = await readAgreed();
  await runPlan(planScaleShape(snapshot, { masters: 4, replicasPerMaster: 2 }, await facts(snapshot)), ports);
  assert.deepEqual(
    shape(await ports.readSnapshot()).map(([, replicas]) => replicas),
    [2, 2, 2, 2],
  );
  const grown = await readAgreed();
  await runPlan(planScaleShape(grown, { masters: 3, replicasPerMaster: 1 }, await facts(grown)), ports);
  const shrunk = await ports.readSnapshot();
  assert.deepEqual(
    shape(shrunk).map(([, replicas]) => replicas),
    [1, 1, 1],
  );
  assert.equal(shrunk.nodes.length, 6);
});

test('a setting is kept in the ConfigMap', async () => {
  const snapshot = await readAgreed();
  const request = { name: 'maxmemory-policy', value: 'volatile-lru' };
  const found = await readSetConfigFacts(snapshot, request, ports.dialer, cluster.access);
  await runPlan(planSetConfig(snapshot, request, found), ports);
  const configMap = await cluster.kubectl(['get', 'configmap', '-o', 'yaml']);
  assert.match(configMap, /maxmemory-policy volatile-lru/);
});

test('every pod is started anew, and comes back as who it was', async () => {
  const before = await readAgreed();
  const plan = await prepareUpgrade(cluster.access, before, { restartedAt: new Date().toISOString() });
  const { updatedPods } = await runPlan(plan, cluster.runPorts);
  assert.equal(updatedPods?.length, 6);
  const after = await ports.readSnapshot();
  assert.deepEqual(new Set(after.nodes.map(({ id }) => id)), new Set(before.nodes.map(({ id }) => id)));
});

test('pods that went with fewer replicas than members come back with their volumes and ids', async () => {
  const before = await readAgreed();
  const pods = before.nodes.length;
  await cluster.access.scale(cluster.namespace, name, pods, 2);
  const end = Date.now() + 120_000;
  let down = await ports.readSnapshot();
  while (down.workloads[0]?.replicas !== 2 || !bringsBack(down, { pods })) {
    assert.ok(Date.now() < end, JSON.stringify(down.nodes.map(({ id, health }) => [id, health])));
    await ports.delay(500, ports.signal);
    down = await ports.readSnapshot();
  }
  const plan = planScaleBack(down, { pods }, await readPodVolumes(cluster.access, down));
  assert.deepEqual(plan.warnings, []);
  assert.match(plan.steps[0]?.text ?? '', new RegExp(`brings back ${name}-2 .* with their volumes`));
  await runPlan(plan, ports);
  const after = await agreed(ports.readSnapshot, 60_000);
  const idsOf = ({ nodes }: ClusterSnapshot): readonly string[] => nodes.map(({ id }) => id).sort();
  assert.deepEqual(idsOf(after), idsOf(before));
  assert.ok(after.nodes.every(({ view }) => view !== undefined));
});
