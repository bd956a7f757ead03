import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { UserError } from '../../src/model/errors.ts';
import { keySlot } from '../../src/model/keySlot.ts';
import { mastersOf } from '../../src/model/shards.ts';
import { subtractSlots, type SlotSet } from '../../src/model/slots.ts';
import { planReshard } from '../../src/operations/reshard.ts';
import type { Argument } from '../../src/redis/nodeConnection.ts';
import { startChaosClient } from '../support/chaosClient.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { drain } from '../support/redis/drain.ts';
import { checkText, present, run, runUnlessDone } from '../support/redis/faultTools.ts';
import { strikingDialer } from '../support/redis/faultyDialer.ts';
import { dumpAll, fill } from '../support/redis/fill.ts';
import { healPlan } from '../support/redis/healPlan.ts';
import { readAnyway } from '../support/redis/readAnyway.ts';
import { ownerOf } from '../support/redis/repeatable.ts';
import { bringBack } from '../support/redis/serverFaults.ts';
import { fixedWrites } from '../support/redis/toolFaults.ts';

let cluster: TestCluster;
let data: ReadonlyMap<string, string>;

before(async () => {
  cluster = await startRedisCluster({ config: { 'repl-diskless-sync-delay': '0' } });
  await fill(cluster, fixedWrites(20_000));
  data = await dumpAll(cluster);
});
after(() => cluster.stop());

const slots: SlotSet = [[0, 39]];

/** The moments of a move at which one of its ends dies: before this command, for the n-th time. */
const moments: Readonly<
  Record<string, { readonly is: (command: readonly Argument[]) => boolean; readonly nth: number }>
> = {
  'after some keys have moved': { is: ([verb]) => verb === 'MIGRATE', nth: 12 },
  'before the target gets them': { is: isSetSlot('NODE'), nth: 1 },
  'when the target has got them': { is: isSetSlot('NODE'), nth: 41 },
};

function isSetSlot(verb: string): (command: readonly Argument[]) => boolean {
  return (command) => command[1] === 'SETSLOT' && command[3] === verb;
}

/** What a person does after it: heals what was interrupted, and asks for the same slots again. */
async function goOn(home: readonly string[]): Promise<void> {
  const now = await present(cluster);
  await runUnlessDone(now, () => healPlan(now));
  await runUnlessDone(now, async () => {
    const snapshot = await readAnyway(cluster);
    const target = mastersOf(snapshot).find(({ id }) => home.includes(id));
    assert.ok(target);
    return planReshard(snapshot, { from: 'all', to: target.id, slots });
  });
  const target = mastersOf(await readAnyway(cluster)).find(({ id }) => home.includes(id));
  assert.deepEqual(subtractSlots(slots, target?.slots ?? []), [], 'the slots are not where they were to go');
}

/** One reshard in which one end dies, until it has reached its goal all the same. */
async function killDuring(end: 'source' | 'target', moment: string, drained: boolean): Promise<boolean> {
  const snapshot = await readAnyway(cluster);
  const source = ownerOf(snapshot, 20);
  const target = mastersOf(snapshot).find((node) => node !== source && node.slots.length > 0);
  assert.ok(target);
  const dead = end === 'source' ? source : target;
  const newMaster = snapshot.nodes.find(({ masterId }) => masterId === dead.id);
  const when = moments[moment];
  assert.ok(newMaster && when);
  const plan = planReshard(snapshot, { from: [source.id], to: target.id, slots });
  const now = await present(cluster);
  let [seen, isStruck] = [0, false];
  const dialer = strikingDialer(now.dialer, async (_, command) => {
    if (!when.is(command) || ++seen !== when.nth) return;
    if (drained) await drain(now.dialer, dead.id);
    const server = cluster.nodes.find(({ id }) => id === dead.id);
    assert.ok(server);
    cluster.kill(server);
    isStruck = true;
  });
  await run(now, plan, dialer).catch((error: unknown) => {
    assert.ok(error instanceof UserError, String(error));
  });
  if (!isStruck) return false;
  await bringBack(cluster, now, dead.id, [newMaster.id]);
  const home = snapshot.nodes
    .filter(({ id, masterId }) => [id, masterId].includes(target.id))
    .map(({ id }) => id);
  await goOn(home);
  assert.equal(await checkText(cluster, cluster.addresses[2] ?? ''), undefined, `${end} killed ${moment}`);
  return true;
}

/** Keys of the fixed data that are gone or hold something else. */
async function lostOfData(): Promise<number> {
  const left = await dumpAll(cluster);
  return [...data].filter(([key, value]) => left.get(key) !== value).length;
}

describe('servers that die in the middle of a reshard', { timeout: 900_000 }, () => {
  test('killed after all they acknowledged was replicated: no write is lost', async (t) => {
    const chaos = await startChaosClient({ nodes: cluster.nodes });
    let faults = 0;
    for (const moment of Object.keys(moments)) {
      for (const end of ['source', 'target'] as const) {
        if (await killDuring(end, moment, true)) faults++;
      }
    }
    const { acknowledged, losses } = await chaos.stop();
    t.diagnostic(
      `${faults} servers killed; ${acknowledged.toLocaleString('en-US')} writes acknowledged meanwhile, ${losses.length} lost`,
    );
    assert.equal(faults, Object.keys(moments).length * 2);
    assert.ok(acknowledged > 1000);
    // Until the move goes on, the new master of a source does not show what is at the target already.
    assert.deepEqual(
      losses.filter((line) => line.includes('at the end')),
      [],
    );
    assert.equal(await lostOfData(), 0);
  });

  test('killed at once: what is lost is counted, and is no more than was under way', async (t) => {
    const chaos = await startChaosClient({ nodes: cluster.nodes });
    let faults = 0;
    for (const end of ['source', 'target'] as const) {
      for (const moment of ['after some keys have moved']) {
        if (await killDuring(end, moment, false)) faults++;
      }
    }
    const report = await chaos.stop();
    const lost = await lostOfData();
    const keysMoving = [...data.keys()].filter((key) => keySlot(Buffer.from(key, 'latin1')) < 40).length;
    t.diagnostic(
      `${faults} servers killed; of ${report.acknowledged.toLocaleString('en-US')} writes acknowledged meanwhile ${report.missing} are gone and ${report.stale} older than acknowledged; of ${data.size.toLocaleString('en-US')} keys that nobody wrote ${lost} are lost with the servers`,
    );
    assert.equal(faults, 2);
    // Each of the client's eight loops waits for its write; and these slots hold so many of the other keys.
    assert.ok(report.missing + report.stale <= faults * 8, report.losses.join('\n'));
    assert.ok(lost <= keysMoving);
  });
});
