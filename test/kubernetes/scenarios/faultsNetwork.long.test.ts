import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { cutNetwork } from '../../support/faults/cutNetwork.ts';
import { startDirectWriter, tagFor, type DirectReport } from '../../support/faults/directWriter.ts';
import { faultScenario, patient, untilReplicated } from '../../support/faults/faultScenario.ts';
import { deployManifests, type Deployment } from '../../support/scenarios/deployment.ts';
import { record } from '../../support/scenarios/record.ts';
import { servers, withServer, type Server } from '../../support/scenarios/servers.ts';
import { shapeOf, untilWhole } from '../../support/scenarios/whole.ts';
import { underWriters } from '../../support/scenarios/writers.ts';

const nodeTimeout = 5;
const cutSeconds = 30;

/** Who is cut off, and the replica that the others promote instead. */
interface Sides {
  readonly master: Server;
  readonly newMaster: Server;
  readonly minority: readonly Server[];
  readonly majority: readonly Server[];
}

faultScenario(
  "network cut: a master and another shard's replica against the others",
  async ({ kubernetes, undo, say }) => {
    const deployment = await deployManifests(kubernetes);
    undo(() => deployment.remove());
    await untilReplicated(deployment, 6);
    const sides = chooseSides(await servers(deployment));
    const { master, minority, majority } = sides;
    const tag = tagFor(master.view.self.slots);
    const { result, report } = await underWriters(deployment, async () => {
      const writer = startDirectWriter({ ip: master.ip, password: deployment.password }, tag);
      undo(() => writer.stop());
      await sleep(2000);
      const cutAt = performance.now();
      const cut = await cutNetwork(minority, majority);
      undo(() => cut.heal());
      const promoted = await untilPromoted(deployment, sides, cutAt);
      await sleep(cutSeconds * 1000 - (performance.now() - cutAt));
      await assertDivided(deployment, sides);
      const healedAt = performance.now();
      await cut.heal();
      const seconds = await untilWhole(deployment, 6, { ...patient, since: healedAt });
      return { cutAt, healedAt, promoted, seconds, direct: await writer.stop() };
    });
    const { cutAt, healedAt, promoted, seconds, direct } = result;
    const cutOff = direct.acknowledged.filter(({ at }) => at > cutAt && at < healedAt);
    const lost = await missing(deployment, direct);
    const lastAck = ((cutOff.at(-1)?.at ?? cutAt) - cutAt) / 1000;
    // A master that reached nobody for twice the timeout refuses, with room for a busy machine.
    const held = lastAck < 2 * nodeTimeout + 2 && lost.every(({ at }) => at > cutAt - 1000 && at < healedAt);
    const note = `replica promoted after ${promoted.toFixed(1)} s; a client that knew only the cut-off master had ${cutOff.length} writes acknowledged until ${lastAck.toFixed(1)} s after the cut, ${lost.length} of them lost; refused then: ${refusals(direct)}`;
    say(JSON.stringify(record('network-cut', deployment, { report, seconds, note, held })));
    assert.ok(held, note);
    const after = await servers(deployment);
    assert.deepEqual(shapeOf(after), { masters: 3, replicas: 3 });
    assert.equal(new Set(after.map(viewOfSlots)).size, 1, after.map(viewOfSlots).join('\n'));
  },
);

function chooseSides(all: readonly Server[]): Sides {
  const replicaOf = (id: string): Server | undefined => all.find(({ view }) => view.self.masterId === id);
  const [master, other] = all.filter(({ view }) => view.self.slots.length > 0);
  assert.ok(master && other);
  const newMaster = replicaOf(master.view.self.id);
  const cutOff = replicaOf(other.view.self.id);
  assert.ok(newMaster && cutOff);
  const minority = [master, cutOff];
  return { master, newMaster, minority, majority: all.filter((one) => !minority.includes(one)) };
}

/** Seconds from the cut until the other side's copy serves the slots of the master that is cut off. */
async function untilPromoted(deployment: Deployment, { newMaster }: Sides, since: number): Promise<number> {
  for (;;) {
    const role = await withServer(deployment, newMaster.ip, (redis) => redis.call('ROLE'));
    const seconds = (performance.now() - since) / 1000;
    if (Array.isArray(role) && role[0] === 'master') return seconds;
    assert.ok(seconds < cutSeconds, 'the replica on the majority side is not promoted');
    await sleep(50);
  }
}

async function assertDivided(deployment: Deployment, { minority, majority }: Sides): Promise<void> {
  const now = await servers(deployment);
  const states = (side: readonly Server[]): readonly string[] =>
    now.filter(({ name }) => side.some((one) => one.name === name)).map(({ view }) => view.clusterState);
  assert.deepEqual([...new Set(states(majority))], ['ok'], 'the majority serves');
  assert.deepEqual([...new Set(states(minority))], ['fail'], 'the minority refuses');
}

/** What was acknowledged by the server that was cut off and is nowhere now. */
async function missing(
  deployment: Deployment,
  { acknowledged }: DirectReport,
): Promise<DirectReport['acknowledged']> {
  const [first] = acknowledged;
  if (first === undefined) return [];
  for (const { ip } of (await servers(deployment)).filter(({ view }) => view.self.slots.length > 0)) {
    const values = await withServer(deployment, ip, (redis) =>
      redis.mget(acknowledged.map(({ key }) => key)).catch(() => undefined),
    );
    if (values !== undefined) return acknowledged.filter((_, index) => values[index] === null);
  }
  throw new Error('no master serves the slot of the direct writer');
}

function refusals({ refusals: counts }: DirectReport): string {
  return Object.entries(counts)
    .map(([word, count]) => `${count} × ${word}`)
    .join(', ');
}

/** Who serves what, as one server sees it. */
function viewOfSlots({ view }: Server): string {
  return [view.self, ...view.others]
    .map(({ id, slots, masterId }) => `${id} ${masterId ?? ''} ${JSON.stringify(slots)}`)
    .sort()
    .join('\n');
}
