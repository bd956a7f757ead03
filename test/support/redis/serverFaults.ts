import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { UserError } from '../../../src/model/errors.ts';
import type { Plan } from '../../../src/operations/plans/plan.ts';
import type { Step } from '../../../src/operations/steps/index.ts';
import type { NodeView } from '../../../src/model/nodeView.ts';
import { intersectSlots, unionSlots } from '../../../src/model/slots.ts';
import type { ClusterSnapshot, RedisNode } from '../../../src/model/snapshot.ts';
import { isInTouch, replicasOf } from '../../../src/operations/servers/nodes.ts';
import { planReplicate } from '../../../src/operations/replicate.ts';
import type { StepObserver } from '../../../src/operations/run/runPlan.ts';
import type { Argument, ClusterDialer } from '../../../src/redis/nodeConnection.ts';
import { startChaosClient, type ChaosReport } from '../chaosClient.ts';
import { startRedisCluster, type ClusterNode, type TestCluster } from '../startRedisCluster.ts';
import { drain } from './drain.ts';
import { changes, checkText, present, run, runUnlessDone, untilSo, type Present } from './faultTools.ts';
import { strikingDialer } from './faultyDialer.ts';
import { dumpAll, fill } from './fill.ts';
import { healPlan } from './healPlan.ts';
import { readAnyway } from './readAnyway.ts';
import { shrunk, spread, type Repeatable } from './repeatable.ts';
import { fixedWrites } from './toolFaults.ts';

/** Which server of a step dies, and when: at its beginning, or once it has begun to change something. */
interface Strike {
  readonly step: number;
  readonly end: 'first' | 'last';
  readonly when: 'begun' | 'inside';
}

/** The first server of every step dies at its beginning, and the last one in the middle of it. */
function strikesOn({ steps }: Plan): readonly Strike[] {
  return steps.flatMap((_, step): Strike[] => [
    { step, end: 'first', when: 'begun' },
    { step, end: 'last', when: 'inside' },
  ]);
}

/** The servers that a step is about. */
function endsOf(step: Step, snapshot: ClusterSnapshot): readonly string[] {
  const members = snapshot.nodes.map(({ id }) => id);
  switch (step.kind) {
    case 'moveSlots':
    case 'copyFunctions':
      return [step.from, step.to];
    case 'replicate':
      return [step.node, step.master];
    case 'promote':
      return [step.node, snapshot.nodes.find(({ id }) => id === step.node)?.masterId ?? step.node];
    case 'meet':
    case 'resetNode':
      return [step.node, ...members.filter((id) => id !== step.node).slice(0, 1)];
    case 'forget':
      return members.filter((id) => id !== step.node);
    case 'setConfig':
    case 'flush':
      return step.nodes;
    default:
      throw new Error(`steps of kind ${step.kind} are about pods`);
  }
}

function serverOf(cluster: TestCluster, now: Present, id: string): ClusterNode {
  const { port } = now.nodes.find((node) => node.id === id) ?? {};
  const server = cluster.nodes.find((node) => node.port === port);
  assert.ok(server, `there is no server ${id}`);
  return server;
}

function candidatesOf(snapshot: ClusterSnapshot, id: string): readonly string[] {
  const node = snapshot.nodes.find((one) => one.id === id);
  if (node?.role !== 'master' || node.slots.length === 0) return [];
  return replicasOf(snapshot, id)
    .filter(isInTouch)
    .map((replica) => replica.id);
}

/** Waits for a replica to take over, brings the dead server back and waits until all is well with all others. */
export async function bringBack(
  cluster: TestCluster,
  now: Present,
  dead: string,
  newMasters: readonly string[],
): Promise<void> {
  const find = ({ nodes }: ClusterSnapshot, id: string): RedisNode | undefined =>
    nodes.find((node) => node.id === id);
  if (newMasters.length > 0) {
    await untilSo(now, 'the failover', (snapshot) =>
      newMasters.some((newMaster) => find(snapshot, newMaster)?.role === 'master'),
    );
  }
  await cluster.restart(serverOf(cluster, now, dead));
  const after = await untilSo(now, 'the dead server', (snapshot) => {
    const back = find(snapshot, dead)?.view;
    if (back === undefined) return !snapshot.nodes.some(({ id }) => id === dead);
    // It keeps the slots that it took too late for its new master to hear of them.
    const inherited = unionSlots(...newMasters.map((newMaster) => find(snapshot, newMaster)?.slots ?? []));
    const { slots } = back.self;
    const isOwner = slots.length > 0 && intersectSlots(slots, inherited).length === 0;
    return newMasters.length === 0 || isOwner || isEmptyMaster(back) || back.replication.linkUp === true;
  });
  const back = find(after, dead)?.view;
  const newMaster = newMasters.find((id) => find(after, id)?.role === 'master');
  if (newMaster !== undefined && back !== undefined && isEmptyMaster(back)) {
    await run(now, planReplicate(after, { node: dead, master: newMaster }));
  }
  await untilSo(now, 'the recovery', ({ nodes }) =>
    nodes.every(
      ({ view }) =>
        view !== undefined &&
        view.replication.linkUp !== false &&
        view.others.every(({ flags }) => !flags.includes('fail')),
    ),
  );
}

/** What becomes of a master whose slots several others have taken, where it hears last of whom it is not to follow. */
function isEmptyMaster({ self, replication, keys }: NodeView): boolean {
  return self.slots.length === 0 && keys === 0 && replication.role === 'master';
}

/** An observer and a dialer by which the blow falls in time; a step that sends one command only ends before it falls. */
function aim(
  dialer: ClusterDialer,
  { step, when }: Strike,
  blow: () => Promise<void>,
): { readonly observer: StepObserver; readonly dialer: ClusterDialer } {
  let sent = -1;
  let isStruck = false;
  const strike = async (): Promise<void> => {
    if (isStruck) return;
    isStruck = true;
    await blow();
  };
  const beforeCommand = async (_: string, command: readonly Argument[]): Promise<void> => {
    if (sent >= 0 && changes(command) && sent++ === 1) await strike();
  };
  const observer: StepObserver = {
    begun: async (index) => {
      if (index !== step) return;
      sent = 0;
      if (when === 'begun') await strike();
    },
    ended: async (index) => {
      if (index === step) await strike();
    },
  };
  return { observer, dialer: when === 'begun' ? dialer : strikingDialer(dialer, beforeCommand) };
}

interface Aftermath {
  /** What the run that was struck said, where it did not end all the same. */
  readonly message: string | undefined;
}

/**
 * Runs an operation during which a server dies, brings it back and does what a person does: the same plan again, and
 * where it does not fit any more, heal and ask anew. Undefined where the step was skipped, so that nothing died.
 */
async function strikeOnce(
  cluster: TestCluster,
  one: Repeatable,
  strike: Strike,
  drained: boolean,
): Promise<Aftermath | undefined> {
  await one.ready?.(await present(cluster));
  const now = await present(cluster);
  const plan = await one.planFor(now);
  const step = plan.steps[strike.step];
  if (step === undefined) return undefined;
  let struck: { readonly dead: string; readonly newMasters: readonly string[] } | undefined;
  const aimed = aim(now.dialer, strike, async () => {
    const snapshot = await readAnyway(now);
    const ends = endsOf(step, snapshot).filter((id) => now.nodes.some((node) => node.id === id));
    const dead = strike.end === 'first' ? ends[0] : ends.at(-1);
    if (dead === undefined) return;
    const newMasters = candidatesOf(snapshot, dead);
    if (drained && newMasters.length > 0) await drain(now.dialer, dead);
    cluster.kill(serverOf(cluster, now, dead));
    struck = { dead, newMasters };
  });
  let message: string | undefined;
  await run(now, plan, aimed.dialer, aimed.observer).catch((error: unknown) => {
    assert.ok(error instanceof UserError, `${step.text}: ${String(error)}`);
    ({ message } = error);
  });
  if (struck === undefined) return undefined;
  await bringBack(cluster, now, struck.dead, struck.newMasters);
  await goOn(cluster, one, plan);
  return { message };
}

async function goOn(cluster: TestCluster, one: Repeatable, plan: Plan): Promise<void> {
  const now = await present(cluster);
  try {
    await run(now, plan);
    return;
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
  }
  await runUnlessDone(now, () => healPlan(now));
  const { again } = one;
  if (again !== undefined) await runUnlessDone(now, () => again(now, plan));
}

const spares = 2;

interface Deaths {
  readonly deaths: number;
  readonly report: ChaosReport;
  /** How many of the keys that nobody wrote are gone or changed. */
  readonly lost: number;
}

export interface ServerFaults {
  /** A cluster whose last two servers may come and go, and that holds keys that nobody writes. */
  readonly cluster: TestCluster;
  /** Strikes every step of these operations in turn, while a client writes. */
  readonly strikeAll: (
    operations: Readonly<Record<string, readonly Repeatable[]>>,
    drained: boolean,
  ) => Promise<Deaths>;
  readonly keys: number;
}

export async function prepareServerFaults(
  keys: number,
  config: Readonly<Record<string, string>> = {},
): Promise<ServerFaults> {
  const cluster = await startRedisCluster({ spares, config });
  await fill(cluster, fixedWrites(keys));
  const data = await dumpAll(cluster);

  async function strikeAt(what: string, one: Repeatable, strike: Strike, drained: boolean): Promise<boolean> {
    const aftermath = await strikeOnce(cluster, one, strike, drained).catch((error: unknown) => {
      throw new Error(what, { cause: error });
    });
    await spread(await present(cluster));
    assert.equal(await checkText(cluster, cluster.addresses[2] ?? ''), undefined, what);
    console.log(`${what}: ${aftermath === undefined ? 'nothing died' : (aftermath.message ?? 'it ended')}`);
    return aftermath !== undefined;
  }

  async function strikeTurns(name: string, turns: readonly Repeatable[], drained: boolean): Promise<number> {
    let deaths = 0;
    for (const one of turns) {
      await one.ready?.(await present(cluster));
      const plan = await one.planFor(await present(cluster));
      for (const strike of strikesOn(plan)) {
        const what = `${name}, ${strike.when} "${plan.steps[strike.step]?.text ?? ''}", the ${strike.end} dies`;
        if (await strikeAt(what, one, strike, drained)) deaths++;
      }
    }
    return deaths;
  }

  return {
    ...{ cluster, keys: data.size },
    strikeAll: async (operations, drained) => {
      const chaos = await startChaosClient({ nodes: cluster.nodes.slice(0, -spares) });
      let deaths = 0;
      try {
        for (const [name, turns] of Object.entries(operations)) {
          deaths += await strikeTurns(name, turns, drained);
        }
      } catch (error) {
        await chaos.abandon();
        throw error;
      }
      const report = await chaos.stop();
      await shrunk(await present(cluster));
      const left = await dumpAll(cluster);
      const lost = [...data].filter(([key, value]) => left.get(key) !== value).length;
      return { deaths, report, lost };
    },
  };
}

/** Each server had passed on all it acknowledged before it died: nothing may be lost. */
export async function assertNothingLost(
  { strikeAll, keys }: ServerFaults,
  operations: Readonly<Record<string, readonly Repeatable[]>>,
  t: TestContext,
): Promise<void> {
  const { deaths, report, lost } = await strikeAll(operations, true);
  // Until the move goes on, the new master of a source does not show what is at the target already.
  const losses = report.losses.filter((line) => line.includes('at the end'));
  t.diagnostic(
    `${deaths} servers killed; ${report.acknowledged.toLocaleString('en-US')} writes acknowledged meanwhile, ${losses.length} lost; of ${keys.toLocaleString('en-US')} keys that nobody wrote ${lost} lost`,
  );
  assert.ok(deaths > 0 && report.acknowledged > 1000);
  assert.deepEqual(losses, []);
  assert.equal(lost, 0);
}
