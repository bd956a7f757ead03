import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { check, isSound } from '../../../src/checks/check.ts';
import { misplacedMaster } from '../../../src/model/misplacedMaster.ts';
import { countSlots, slotCount } from '../../../src/model/slots.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { agreed } from '../../../src/operations/servers/agreed.ts';
import { prepareDelete } from '../../../src/operations/delete.ts';
import { operatorOf } from '../../../src/operations/statefulSets/owner.ts';
import { planReshard } from '../../../src/operations/reshard.ts';
import { runPlan } from '../../../src/operations/run/runPlan.ts';
import { planScale } from '../../../src/operations/scale.ts';
import { planScaleShape } from '../../../src/operations/scaleShape.ts';
import { readShapeFacts } from '../../../src/operations/shape/facts.ts';
import { prepareUpgrade } from '../../../src/operations/upgrade.ts';
import { slotMapState } from '../../../src/ui/panels/slotMap/slotMapState.ts';
import { logsOfPod } from '../../../src/ui/podLogs.ts';
import { runOver } from '../../support/planPorts.ts';
import { startChaosClient } from '../../support/chaosClient.ts';
import { dnsAddress } from '../../support/kubernetes/layout.ts';
import type { Column } from './compatibility.ts';
import type { ShapeFixture } from './fixture.ts';
import { clusterInfoInTerminal } from './inPod.ts';
import { isWhole, nodeCount, onlyCluster, problemsOf, readUntil, storyOf } from './readings.ts';
import {
  clientOf,
  cliOn,
  firstSlot,
  healAll,
  podOf,
  redisCliCheck,
  refusal,
  refusedText,
  twoMasters,
  watched,
} from './steps.ts';

/** What a row of the matrix does on a shape; returns what the table says of it. */
type Row = (fixture: ShapeFixture) => Promise<string>;

const moved = 500;

const found: Row = async (fixture) => {
  const { shape, ref } = fixture;
  const cluster = await readUntil(
    fixture,
    'all nodes of one cluster',
    ({ nodes }) => nodes.length === nodeCount,
  );
  for (const name of shape.references ?? shape.workloads) {
    const same = await fixture.inventory().look({ ...ref, name });
    assert.deepEqual([same.name, same.nodes.length], [cluster.name, nodeCount], `as ${name}`);
  }
  return `“${cluster.name}”`;
};

const signIn: Row = async (fixture) => {
  const { shape, ref, access } = fixture;
  const inventory = fixture.inventory();
  const cluster = await inventory.fresh(ref);
  assert.deepEqual(cluster.unread, []);
  const { credentials } = await inventory.podSignIn(access.context, podOf(cluster.nodes[0]));
  assert.equal(credentials.foundIn, shape.foundIn);
  if (shape.signIn === undefined) return shape.foundIn === undefined ? 'not needed' : 'by itself';
  await inventory.trySignIn(ref, shape.signIn);
  fixture.reopen(shape.signIn);
  await readUntil(fixture, 'read by what a person has given', isWhole);
  return 'by itself to read, Sign In… to change';
};

const agreesWithRedisCli: Row = async (fixture) => {
  const cluster = await readUntil(fixture, 'all well', isWhole);
  assert.ok(isSound(check(cluster)), storyOf(cluster));
  assert.ok((await redisCliCheck(fixture)).isContent);
  const [source, target] = twoMasters(cluster);
  await cliOn(fixture, source, `cluster setslot ${firstSlot(source)} migrating ${target.id}`);
  const open = await readUntil(fixture, 'an open slot', (one) => !isSound(check(one)));
  // Valkey tells its replicas too.
  assert.deepEqual([...new Set(problemsOf(open).map(({ rule }) => rule))], ['open-slots']);
  const { isContent, output } = await redisCliCheck(fixture);
  assert.ok(!isContent, output);
  return 'agrees';
};

const heal: Row = async (fixture) => {
  await healAll(fixture);
  await readUntil(fixture, 'closed', isWhole);
  const { isContent, output } = await redisCliCheck(fixture);
  assert.ok(isContent, output);
  return 'done';
};

const terminal: Row = async (fixture) => {
  const { access, shape } = fixture;
  const inventory = fixture.inventory();
  const { nodes } = await inventory.fresh(fixture.ref);
  for (const pod of [podOf(nodes[0]), podOf(nodes.at(-1))]) {
    const shown = await clusterInfoInTerminal(access, pod, await inventory.podSignIn(access.context, pod));
    assert.match(shown, /cluster_size:3/, shown);
    assert.doesNotMatch(shown, /NOAUTH|WRONGPASS|NOPERM/, shown);
    const { password = '' } = shape.client;
    assert.ok(password === '' || !shown.includes(password), 'the password is shown');
  }
  return 'signed in';
};

const logs: Row = async (fixture) => {
  const { access, namespace } = fixture;
  const { nodes } = await fixture.inventory().fresh(fixture.ref);
  const pod = podOf(nodes[0]);
  const all = await logsOfPod(access, pod);
  assert.equal(all[0]?.container, pod.container);
  let text = '';
  const end = new AbortController();
  const following = access
    .logs(namespace, pod.name, pod.container, { tailLines: 100 }, (more) => (text += more), end.signal)
    .catch(() => undefined);
  for (
    let tries = 0;
    tries < 50 && !/Ready to accept|Cluster state changed|IO threads|RDB|AOF/.test(text);
    tries++
  )
    await sleep(100);
  end.abort();
  await following;
  assert.match(text, /Ready to accept|Cluster state changed|RDB|AOF/);
  return all.length === 1
    ? '1 container'
    : `${new Set(all.map(({ container }) => container)).size} containers`;
};

const slotMap: Row = async (fixture) => {
  const state = slotMapState(await readUntil(fixture, 'all well', isWhole));
  assert.deepEqual(
    [state.name, state.shards.length, state.uncovered, state.problems],
    [fixture.shape.name, 3, [], []],
  );
  for (const shard of state.shards) assert.equal(shard.replicas.length, 1);
  return '3 shards';
};

const reshard: Row = async (fixture) => {
  const { access, namespace, shape } = fixture;
  const pods = await fixture.pods();
  const nodes = pods.map(({ ip = '', port }) => ({ host: ip, port }));
  const chaos = await startChaosClient({ nodes, nameServer: dnsAddress, workers: 6, ...clientOf(fixture) });
  try {
    const ports = await fixture.runPorts();
    const before = await agreed(ports.readSnapshot);
    const [source, target] = twoMasters(before);
    assert.equal(await operatorOf(access, namespace, podOf(source).name), shape.operator);
    const plan = planReshard(before, { from: [source.id], to: target.id, slots: moved });
    const { movedSlots } = await runPlan(plan, ports);
    assert.equal(movedSlots, moved);
    const after = await readUntil(fixture, 'the slots are there', isWhole);
    const now = after.nodes.find(({ id }) => id === target.id);
    assert.equal(countSlots(now?.slots ?? []), countSlots(target.slots) + moved);
  } catch (error) {
    await chaos.abandon();
    throw error;
  }
  const { acknowledged, missing, stale, losses } = await chaos.stop();
  assert.equal(missing + stale, 0, losses.slice(0, 3).join('\n'));
  assert.ok(acknowledged > 100, `only ${acknowledged} writes`);
  return `${moved} slots, ${acknowledged.toLocaleString('en-US')} writes, none lost`;
};

const scale: Row = async (fixture) => {
  const { access, shape, ports, ref } = fixture;
  const snapshot = await readUntil(fixture, 'all well', isWhole);
  if (shape.owner !== undefined) {
    const workloads = [...snapshot.workloads];
    const deleted = refusal(() => prepareDelete(access, ref, workloads, { volumes: true }));
    refusedText(fixture, await deleted);
  }
  if (shape.owner !== undefined || shape.workloads.length > 1) {
    const shaped = refusal(async () => {
      const facts = await readShapeFacts(access, snapshot, false);
      planScaleShape(snapshot, { masters: 4, replicasPerMaster: 1 }, facts);
    });
    return refusedText(fixture, await shaped);
  }
  const plan = planScale(snapshot, { pods: nodeCount + 1 });
  assert.equal((await runOver(ports, { ...plan, ref })).cancelled, false);
  const grown = await fixture.inventory().fresh(ref);
  assert.equal(grown.nodes.length, nodeCount + 1, storyOf(grown));
  return 'done: one replica more';
};

const upgrade: Row = async (fixture) => {
  const { access } = fixture;
  const snapshot = await fixture.inventory().fresh(fixture.ref);
  const request = { restartedAt: new Date().toISOString() };
  return refusedText(fixture, await refusal(() => prepareUpgrade(access, snapshot, request)));
};

const onePod: Row = async (fixture) => {
  const { shape } = fixture;
  const before = await fixture.inventory().fresh(fixture.ref);
  const [master] = twoMasters(before);
  const { name, uid } = podOf(master);
  const deleted = fixture.deletePods([name]);
  await watched(fixture, deleted);
  if (shape.keepsFiles) {
    const back = await readUntil(fixture, `${name} is back`, isWhole);
    assert.ok(back.nodes.some(({ id }) => id === master.id));
    return 'comes back';
  }
  const isNew = (cluster: ClusterSnapshot): boolean =>
    ![...cluster.nodes, ...cluster.otherParts.flatMap(({ nodes }) => nodes)].some(
      ({ pod }) => pod?.uid === uid,
    ) &&
    problemsOf(cluster).length > 0 &&
    cluster.nodes.some(({ view }) => view?.clusterState === 'ok');
  const after = await readUntil(fixture, 'says what is missing', isNew);
  assert.ok(check(after).length > 0);
  return 'says what is missing';
};

const allPods: Row = async (fixture) => {
  const { shape } = fixture;
  const pods = await fixture.pods();
  const before = (await fixture.inventory().fresh(fixture.ref)).nodes.map(({ id }) => id);
  await watched(fixture, fixture.deletePods(pods.map(({ name }) => name)));
  const answering = ({ nodes, otherParts, loosePods }: ClusterSnapshot): boolean =>
    [...nodes, ...otherParts.flatMap((part) => part.nodes)].filter(({ view }) => view !== undefined).length +
      loosePods.filter(({ ready }) => ready).length >=
    pods.length;
  const back = await readUntil(fixture, 'all servers answer', answering);
  if (shape.formsItself === true) {
    const isFormed = ({ nodes }: ClusterSnapshot): boolean =>
      nodes.length === pods.length && nodes.every(({ view }) => view?.slotsAssigned === slotCount);
    const { nodes } = await readUntil(fixture, 'formed again', isFormed);
    assert.deepEqual(
      nodes.filter(({ id, view }) => before.includes(id) || view?.keys !== 0),
      [],
    );
    return 'forms itself again, empty';
  }
  if (!shape.keepsFiles) {
    assert.ok(!isSound(check(back)), storyOf(back));
    // Whoever opens a window now finds the same.
    fixture.reopen(shape.signIn);
    await readUntil(fixture, 'the same in another window', (one) => answering(one) && !isSound(check(one)));
    return 'says that it is not formed';
  }
  await sleep(5_000);
  const settled = await onlyCluster(fixture);
  assert.ok(settled);
  if (isWhole(settled)) return 'comes back';
  await healAll(fixture);
  // A replica tries its master's old address for up to a minute (repl-timeout). One that heard of the new one from others
  // stays at the old one, which the check says: it is what a second Heal is for.
  const isMisplaced = ({ nodes }: ClusterSnapshot): boolean =>
    nodes.some(({ view }) => view !== undefined && misplacedMaster(view) !== undefined);
  const settledAgain = await readUntil(
    fixture,
    'whole after Heal',
    (one) => isWhole(one) || isMisplaced(one),
    130,
  );
  if (isWhole(settledAgain)) return 'comes back with Heal';
  await healAll(fixture);
  await readUntil(fixture, 'whole after a second Heal', isWhole, 60);
  return 'comes back with Heal, twice';
};

/** The columns of the table in the order in which they are run. */
export const rows: readonly (readonly [Column, Row])[] = [
  ['found', found],
  ['signIn', signIn],
  ['check', agreesWithRedisCli],
  ['heal', heal],
  ['terminal', terminal],
  ['logs', logs],
  ['slotMap', slotMap],
  ['reshard', reshard],
  ['scale', scale],
  ['upgrade', upgrade],
  ['onePod', onePod],
  ['allPods', allPods],
];
