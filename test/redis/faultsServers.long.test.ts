import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../src/model/errors.ts';
import { keySlot } from '../../src/model/keySlot.ts';
import { mastersOf } from '../../src/model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../src/model/snapshot.ts';
import { hasSlot, subtractSlots, type SlotSet } from '../../src/model/slots.ts';
import { planHeal } from '../../src/operations/heal.ts';
import { planReshard } from '../../src/operations/reshard.ts';
import type { Argument, ClusterDialer } from '../../src/redis/nodeConnection.ts';
import { startChaosClient, type ChaosReport } from '../support/chaosClient.ts';
import { startRedisCluster, type ClusterNode, type TestCluster } from '../support/startRedisCluster.ts';
import { checkText, run } from './faultTools.ts';
import { dumpAll, fill, type Write } from './fill.ts';
import { readAnyway } from './readAnyway.ts';

let cluster: TestCluster;
let data: ReadonlyMap<string, string>;

before(async () => {
  cluster = await startRedisCluster({ config: { 'repl-diskless-sync-delay': '0' } });
  await fill(cluster, writes());
  data = await dumpAll(cluster);
});
after(() => cluster.stop());

function* writes(): Generator<Write> {
  for (let number = 0; number < 20_000; number++) {
    yield ['SET', Buffer.concat([Buffer.of(0xff, 0, 0x80), Buffer.from(String(number))]), `value ${number}`];
  }
}

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

/** A dialer that does something before the n-th of the commands that the test names is sent. */
function strikingDialer(
  dialer: ClusterDialer,
  { is, nth }: { readonly is: (command: readonly Argument[]) => boolean; readonly nth: number },
  strike: () => Promise<void>,
): ClusterDialer {
  let seen = 0;
  const look = async (commands: readonly (readonly Argument[])[]): Promise<void> => {
    const before = seen;
    seen += commands.filter(is).length;
    if (before < nth && seen >= nth) await strike();
  };
  return {
    credentials: dialer.credentials,
    dial: async (id) => {
      const real = await dialer.dial(id);
      return {
        ...real,
        call: async (...command) => {
          await look([command]);
          return await real.call(...command);
        },
        pipeline: async (commands) => {
          await look(commands);
          return await real.pipeline(commands);
        },
      };
    },
  };
}

/** Lets a master pass on all it has acknowledged, and acknowledge nothing more: then nothing of it is unreplicated. */
async function drain({ id }: ClusterNode): Promise<void> {
  const connection = await cluster.dialer.dial(id);
  await connection.call('CLIENT', 'PAUSE', 10_000, 'WRITE');
  for (let attempt = 0; attempt < 100; attempt++) {
    const text = String(await connection.call('INFO', 'replication'));
    const own = /master_repl_offset:(\d+)/.exec(text)?.[1];
    if (own !== undefined && text.includes(`state=online,offset=${own},`)) break;
    await sleep(20);
  }
  connection.close();
}

function serverOf({ id }: RedisNode): ClusterNode {
  const server = cluster.nodes.find((node) => node.id === id);
  assert.ok(server);
  return server;
}

async function until(what: string, isSo: (snapshot: ClusterSnapshot) => boolean): Promise<ClusterSnapshot> {
  const end = performance.now() + 90_000;
  for (;;) {
    const snapshot = await readAnyway(cluster);
    if (isSo(snapshot)) return snapshot;
    assert.ok(performance.now() < end, `${what} did not come within 90 s`);
    await sleep(100);
  }
}

function ownerOf(snapshot: ClusterSnapshot, slot: number): RedisNode {
  const owner = mastersOf(snapshot).find((node) => hasSlot(node.slots, slot));
  assert.ok(owner, `nobody owns slot ${slot}`);
  return owner;
}

/** Waits for the replica to take over, brings the dead server back and waits until it has its copy. */
async function failOver(dead: ClusterNode, heir: string): Promise<void> {
  const find = ({ nodes }: ClusterSnapshot, id: string): RedisNode | undefined =>
    nodes.find((node) => node.id === id);
  await until('the failover', (snapshot) => find(snapshot, heir)?.role === 'master');
  await cluster.restart(dead);
  await until('the dead server as a replica', (snapshot) => {
    const back = find(snapshot, dead.id);
    return back?.role === 'replica' && back.view?.replication.linkUp === true;
  });
  await until('the recovery', ({ nodes }) =>
    nodes.every(({ view }) => view?.others.every((o) => !o.flags.includes('fail'))),
  );
}

/** What a person does after it: heals what was interrupted, and asks for the same slots again. */
async function goOn(home: readonly string[]): Promise<void> {
  await runUnlessDone(async () => planHeal(await readAnyway(cluster)));
  await runUnlessDone(async () => {
    const snapshot = await readAnyway(cluster);
    const target = mastersOf(snapshot).find(({ id }) => home.includes(id));
    assert.ok(target);
    return planReshard(snapshot, { from: 'all', to: target.id, slots });
  });
  const target = mastersOf(await readAnyway(cluster)).find(({ id }) => home.includes(id));
  assert.deepEqual(subtractSlots(slots, target?.slots ?? []), [], 'the slots are not where they were to go');
}

async function runUnlessDone(plan: () => Promise<Parameters<typeof run>[1]>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await run(cluster, await plan());
      return;
    } catch (error) {
      if (error instanceof UserError && error.reason === 'invalid-input') return;
      if (attempt === 5) throw error;
      await sleep(1000);
    }
  }
}

/** One reshard in which one end dies, until it has reached its goal all the same. */
async function killDuring(end: 'source' | 'target', moment: string, drained: boolean): Promise<boolean> {
  const snapshot = await readAnyway(cluster);
  const source = ownerOf(snapshot, 20);
  const target = mastersOf(snapshot).find((node) => node !== source && node.slots.length > 0);
  assert.ok(target);
  const dead = end === 'source' ? source : target;
  const heir = snapshot.nodes.find(({ masterId }) => masterId === dead.id);
  const when = moments[moment];
  assert.ok(heir && when);
  const plan = planReshard(snapshot, { from: [source.id], to: target.id, slots });
  const strikes: string[] = [];
  const dialer = strikingDialer(cluster.dialer, when, async () => {
    if (drained) await drain(serverOf(dead));
    cluster.kill(serverOf(dead));
    strikes.push(dead.id);
  });
  await run(cluster, plan, dialer).catch((error: unknown) => {
    assert.ok(error instanceof UserError, String(error));
  });
  if (strikes.length === 0) return false;
  await failOver(serverOf(dead), heir.id);
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
  const whole: { faults: number; report: ChaosReport | undefined } = { faults: 0, report: undefined };

  test('killed after all they acknowledged was replicated: no write is lost', async (t) => {
    const chaos = await startChaosClient({ nodes: cluster.nodes });
    try {
      for (const moment of Object.keys(moments)) {
        for (const end of ['source', 'target'] as const) {
          if (await killDuring(end, moment, true)) whole.faults++;
        }
      }
    } finally {
      whole.report = await chaos.stop().catch(() => undefined);
    }
    const { acknowledged = 0, losses = [] } = whole.report ?? {};
    t.diagnostic(
      `${whole.faults} servers killed; ${acknowledged.toLocaleString('en-US')} writes acknowledged meanwhile, ${losses.length} lost`,
    );
    assert.equal(whole.faults, Object.keys(moments).length * 2);
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
