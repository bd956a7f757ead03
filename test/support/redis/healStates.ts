import assert from 'node:assert/strict';
import { Cluster } from 'ioredis';
import { UserError } from '../../../src/model/errors.ts';
import type { NodeView } from '../../../src/model/nodeView.ts';
import { formatSlots, hasSlot, openSlotsIn } from '../../../src/model/slots.ts';
import { readNodeView } from '../../../src/redis/nodeView.ts';
import { seeded } from '../../simulation/random.ts';
import { startRedisCluster, type TestCluster, type TestClusterOptions } from '../startRedisCluster.ts';
import { hurried, present, run, untilSo } from './faultTools.ts';
import { healPlan } from './healPlan.ts';
import { makeState, type Copies, type Server, type SlotState } from './healStateMaker.ts';

/** How many of a state's slots were repaired, and how many left to a person. */
export interface Verdict {
  readonly repaired: number;
  readonly left: number;
}

/**
 * Starts a cluster and has it run through many states: each has slots open and keys astray, is healed once and judged.
 * Throws with the seed of the state that was judged wrong.
 */
export async function healStates(
  options: TestClusterOptions,
  { first, states }: { readonly first: number; readonly states: number },
): Promise<Verdict> {
  const cluster = await startRedisCluster({ replicasPerMaster: 0, ...options });
  const total = { repaired: 0, left: 0 };
  try {
    const masters = await Promise.all(
      cluster.nodes
        .filter(({ role }) => role === 'master')
        .map(async (node): Promise<Server> => ({ ...node, line: await cluster.dialer.dial(node.id) })),
    );
    const client = new Cluster(masters.map(({ host, port }) => ({ host, port })));
    try {
      for (let seed = first; seed < first + states; seed++) {
        const { repaired, left } = await healState(
          cluster,
          masters,
          client,
          seed,
          options.version === 'redisNewest',
        );
        total.repaired += repaired;
        total.left += left;
      }
    } finally {
      client.disconnect();
      for (const { line } of masters) line.close();
    }
  } finally {
    await cluster.stop();
  }
  return total;
}

async function healState(
  cluster: TestCluster,
  masters: readonly Server[],
  client: Cluster,
  seed: number,
  hidesStrays: boolean,
): Promise<Verdict> {
  await clear(cluster, masters);
  const slots = await makeState(masters, seeded(seed), hidesStrays, () => agree(cluster));
  const before = await Promise.all(masters.map(({ line }) => readNodeView(line)));
  try {
    return await healAndJudge(cluster, masters, client, slots, before);
  } catch (error) {
    const marks = before.map((view, index) => `${index}: ${marksText(view)}`).join('\n');
    const keys = slots.map(({ slot, keys: own }) => `${slot}: ${copiesText(own)}`).join('\n');
    throw new Error(`seed ${seed}: ${String(error)}\n${marks}\n${keys}`, { cause: error });
  }
}

function marksText({ self }: NodeView): string {
  const marks = [
    ...self.migrating.map(({ slot, nodeId }) => `${slot}->${nodeId.slice(0, 6)}`),
    ...self.importing.map(({ slot, nodeId }) => `${slot}<-${nodeId.slice(0, 6)}`),
  ];
  return `${self.id.slice(0, 6)} owns ${formatSlots(self.slots)} marks ${marks.join(' ')}`;
}

function copiesText(keys: ReadonlyMap<string, Copies>): string {
  return [...keys].map(([key, copies]) => `${key} ${JSON.stringify([...copies])}`).join(', ');
}

/** Leaves no key and no mark, and waits until all agree again. */
async function clear(cluster: TestCluster, masters: readonly Server[]): Promise<void> {
  await Promise.all(
    masters.map(async ({ line }) => {
      await line.call('FLUSHALL');
      const { self } = await readNodeView(line);
      for (const [start, end] of openSlotsIn(self)) {
        for (let slot = start; slot <= end; slot++) await line.call('CLUSTER', 'SETSLOT', slot, 'STABLE');
      }
    }),
  );
  await agree(cluster);
}

async function agree(cluster: TestCluster): Promise<void> {
  await untilSo(await present(cluster), 'that all agree on the slots', ({ nodes }) =>
    nodes.every(
      ({ id, slots, role, configEpoch }) =>
        role === 'replica' ||
        nodes.every(({ view }) => {
          const line = [view?.self, ...(view?.others ?? [])].find((one) => one?.id === id);
          return line?.configEpoch === configEpoch && formatSlots(line.slots) === formatSlots(slots);
        }),
    ),
  );
}

async function healAndJudge(
  cluster: TestCluster,
  masters: readonly Server[],
  client: Cluster,
  slots: readonly SlotState[],
  before: readonly NodeView[],
): Promise<Verdict> {
  const heldBefore = await Promise.all(slots.map(({ slot }) => keysOf(masters, slot)));
  for (const [index, { slot, keys }] of slots.entries()) {
    const made = masters.map((_, number) =>
      [...keys.keys()].filter((key) => keys.get(key)?.has(number)).sort(),
    );
    assert.deepEqual(heldBefore[index], made, `slot ${slot} as it was made`);
  }
  const said = await healOnce(cluster);
  const after = await Promise.all(masters.map(({ line }) => readNodeView(line)));
  let [repaired, left] = [0, 0];
  for (const [index, { slot, keys }] of slots.entries()) {
    const expected = trueValues(masters, before, slot, keys);
    const isNamed = new RegExp(String.raw`[Ss]lot ${slot}\b`).test(said);
    if (isNamed) {
      left++;
      const owner = before.find(({ self }) => hasSlot(self.slots, slot))?.self.id ?? '';
      const corrected = before.map((view) => {
        const { owns, open } = marksOf(view, slot);
        const isTarget = before.some(({ self }) =>
          self.migrating.some((mark) => mark.slot === slot && mark.nodeId === view.self.id),
        );
        if (view.product !== 'valkey' || isTarget) return { owns, open };
        return { owns, open: open.map((mark) => (mark.startsWith('from ') ? `from ${owner}` : mark)) };
      });
      assert.deepEqual(
        after.map((view) => marksOf(view, slot)),
        corrected,
        `marks of slot ${slot}`,
      );
      assert.deepEqual(await keysOf(masters, slot), heldBefore[index], `keys of slot ${slot}`);
      assert.match(said, /heal again|Heal again|Fix Uncovered/);
      continue;
    }
    repaired++;
    assert.deepEqual(
      after.flatMap((view) => marksOf(view, slot).open),
      [],
      `slot ${slot} is open`,
    );
    for (const [key, value] of expected) {
      assert.ok(value !== undefined, `slot ${slot} was repaired although nothing tells the value of ${key}`);
      const read = await client.getBuffer(Buffer.from(key, 'latin1'));
      const now = JSON.stringify([after.map((view) => marksOf(view, slot)), await keysOf(masters, slot)]);
      assert.equal(read?.toString('latin1'), value, `key ${key} of slot ${slot}: ${now}`);
    }
    const holding = (await keysOf(masters, slot)).filter((held) => held.length > 0);
    assert.deepEqual(
      holding,
      expected.size === 0 ? [] : [[...expected.keys()].sort()],
      `who holds slot ${slot}`,
    );
  }
  assert.equal(await healOnce(cluster, 'plan'), said, 'a second Heal has nothing more to do');
  return { repaired, left };
}

/** What a client was served, or would be if the slot's only copies could be reached; undefined where nothing tells. */
function trueValues(
  masters: readonly Server[],
  views: readonly NodeView[],
  slot: number,
  keys: ReadonlyMap<string, Copies>,
): ReadonlyMap<string, string | undefined> {
  const owner = views.findIndex(({ self }) => hasSlot(self.slots, slot));
  const targetId = views[owner]?.self.migrating.find((one) => one.slot === slot)?.nodeId;
  const target = masters.findIndex(({ id }) => id === targetId);
  const isTaking = views[target]?.self.importing.some((one) => one.slot === slot) === true;
  return new Map(
    [...keys].map(([key, copies]): [string, string | undefined] => {
      const served = copies.get(owner) ?? (isTaking ? copies.get(target) : undefined);
      const values = new Set(copies.values());
      return [key, served ?? (values.size === 1 ? [...values][0] : undefined)];
    }),
  );
}

function marksOf(
  { self }: NodeView,
  slot: number,
): { readonly owns: boolean; readonly open: readonly string[] } {
  const open = [
    ...self.migrating.filter((one) => one.slot === slot).map(({ nodeId }) => `to ${nodeId}`),
    ...self.importing.filter((one) => one.slot === slot).map(({ nodeId }) => `from ${nodeId}`),
  ];
  return { owns: hasSlot(self.slots, slot), open };
}

async function keysOf(masters: readonly Server[], slot: number): Promise<readonly (readonly string[])[]> {
  return await Promise.all(
    masters.map(async ({ line }) => {
      const keys = await line.callBuffer('CLUSTER', 'GETKEYSINSLOT', slot, 1000);
      return (keys as readonly Buffer[]).map((key) => key.toString('latin1')).sort();
    }),
  );
}

/** What Heal leaves to a person, in its words: warnings, or the reason why there is nothing that it does. */
async function healOnce(cluster: TestCluster, how: 'run' | 'plan' = 'run'): Promise<string> {
  try {
    const now = await present(cluster);
    const plan = await healPlan(now);
    if (how === 'plan') assert.deepEqual(plan.steps, []);
    await run(now, hurried(plan));
    return plan.warnings.map((text) => text.replace(' It is not changed.', '')).join(' ');
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (error.reason === 'nothing-to-do') return '';
    const [, unclear] = /^(.*) You have to decide\. Nothing was changed\.$/.exec(error.message) ?? [];
    if (unclear === undefined) throw error;
    return unclear;
  }
}
