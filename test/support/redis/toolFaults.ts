import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';
import { startChaosClient, type ChaosClient } from '../chaosClient.ts';
import { startRedisCluster, type TestCluster } from '../startRedisCluster.ts';
import { checkText, countCommands, cutDialer, present, run, runAndDie, type Boundary } from './faultTools.ts';
import { dumpAll, fill, type Write } from './fill.ts';
import type { Repeatable } from './repeatable.ts';

export interface ToolFaults {
  readonly operations: Readonly<Record<string, readonly Repeatable[]>>;
  /** Where the tool is killed, in turn. */
  readonly boundaries: (steps: number, commands: number) => readonly Boundary[];
  /** How many of them an operation may end before reaching: on the way back it may take fewer commands. */
  readonly unreached: number;
  /** After how many of its commands, evenly spread, it is cut off. */
  readonly cuts: number;
  readonly keys: number;
}

const spares = 2;

export function* fixedWrites(count: number): Generator<Write> {
  for (let number = 0; number < count; number++) {
    yield ['SET', Buffer.concat([Buffer.of(0xff, 0, 0x80), Buffer.from(String(number))]), `value ${number}`];
  }
}

/** Kills the tool at every boundary of every operation, and cuts it off, while clients write: nothing may be lost by it. */
export function injectToolFaults(faults: ToolFaults): void {
  const { operations, boundaries: boundariesFor, unreached, cuts: points, keys } = faults;
  let cluster: TestCluster;
  let chaos: ChaosClient | undefined;
  let data: ReadonlyMap<string, string>;
  const injected = { killed: 0, cut: 0 };

  before(async () => {
    cluster = await startRedisCluster({ spares });
    await fill(cluster, fixedWrites(keys));
    data = await dumpAll(cluster);
    chaos = await startChaosClient({ nodes: cluster.nodes.slice(0, -spares) });
  });
  after(async () => {
    await chaos?.abandon();
    await cluster.stop();
  });

  async function assertWhole(what: string): Promise<void> {
    assert.equal(await checkText(cluster, cluster.addresses[0] ?? ''), undefined, what);
  }

  async function readied({ ready }: Repeatable): Promise<Awaited<ReturnType<typeof present>>> {
    await ready?.(await present(cluster));
    return await present(cluster);
  }

  /** Runs it undisturbed twice, since the way back may take fewer commands. */
  async function measure(
    turns: readonly Repeatable[],
  ): Promise<readonly { commands: number; steps: number }[]> {
    const found = turns.map(() => ({ commands: Number.POSITIVE_INFINITY, steps: Number.POSITIVE_INFINITY }));
    for (const [index, one] of [...turns.entries(), ...turns.entries()]) {
      const now = await readied(one);
      const plan = await one.planFor(now);
      const commands = await countCommands(now, plan);
      const before = found[index];
      if (before !== undefined) {
        before.commands = Math.min(before.commands, commands);
        before.steps = Math.min(before.steps, plan.steps.length);
      }
    }
    return found;
  }

  async function killAtAll(name: string, turns: readonly Repeatable[], t: TestContext): Promise<void> {
    const measured = await measure(turns);
    const boundaries = measured.map(({ steps, commands }) => boundariesFor(steps, commands));
    const most = Math.max(...boundaries.map(({ length }) => length));
    let [reached, tried] = [0, 0];
    for (let round = 0; round < most; round++) {
      for (const [index, one] of turns.entries()) {
        const boundary = boundaries[index]?.[round];
        if (boundary === undefined) continue;
        const now = await readied(one);
        const plan = await one.planFor(now);
        const what = `${name} killed at ${JSON.stringify(boundary)}`;
        tried++;
        if (await runAndDie(now, plan, boundary)) reached++;
        const result = await run(now, plan);
        assert.equal(result.steps, plan.steps.length, what);
        await assertWhole(what);
      }
    }
    injected.killed += reached;
    t.diagnostic(`${reached} faults injected at ${tried} boundaries`);
    assert.ok(reached >= tried - unreached * turns.length, `${reached} of ${tried} boundaries were reached`);
  }

  async function cutOff(name: string, turns: readonly Repeatable[], t: TestContext): Promise<void> {
    let cuts = 0;
    const measured = await measure(turns);
    for (let round = 0; round < points; round++) {
      for (const [index, one] of turns.entries()) {
        const { commands = 0 } = measured[index] ?? {};
        const command = 1 + Math.floor((round * commands) / points);
        if (round > 0 && command === 1 + Math.floor(((round - 1) * commands) / points)) continue;
        const now = await readied(one);
        const plan = await one.planFor(now);
        const what = `${name} cut at command ${command}`;
        const dialer = cutDialer(now.dialer, command, () => {
          cuts++;
        });
        await run(now, plan, dialer).catch(() => undefined);
        const result = await run(now, plan);
        assert.equal(result.steps, plan.steps.length, what);
        await assertWhole(what);
      }
    }
    injected.cut += cuts;
    t.diagnostic(`${cuts} connections cut`);
    assert.ok(cuts > 0);
  }

  describe('faults of the tool', { timeout: 900_000 }, () => {
    for (const [name, turns] of Object.entries(operations)) {
      test(`${name}: killed, the same plan run again ends it`, (t) => killAtAll(name, turns, t));
      if (points === 0) continue;
      test(`${name}: with all connections cut, the same plan run again ends it`, (t) =>
        cutOff(name, turns, t));
    }

    test('no acknowledged write was lost by any of it', async (t) => {
      const report = await chaos?.stop();
      chaos = undefined;
      t.diagnostic(
        `${injected.killed + injected.cut} faults injected: tool killed ${injected.killed} times, connections cut ${injected.cut} times; ${report?.acknowledged.toLocaleString('en-US') ?? 0} writes acknowledged meanwhile, ${report?.losses.length ?? 0} lost`,
      );
      assert.deepEqual(report?.losses, []);
      assert.ok(report.acknowledged > 1000);
      const left = await dumpAll(cluster);
      for (const key of left.keys()) if (key.startsWith('chaos:')) left.delete(key);
      assert.deepEqual(left, data);
    });
  });
}
