import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { UserError } from '../../src/model/errors.ts';
import type { Plan } from '../../src/operations/plans/plan.ts';
import { mastersOf } from '../../src/model/shards.ts';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { countSlots, intersectSlots, slotCount, subtractSlots } from '../../src/model/slots.ts';
import { planRebalance, type RebalanceRequest } from '../../src/operations/rebalance.ts';
import { planRemoveShard } from '../../src/operations/removeShard.ts';
import { planReshard, type ReshardRequest } from '../../src/operations/reshard.ts';
import { assertOwnedOnce, carryOut, modelOf, withoutCopy, type Model } from './planModel.ts';
import { seeded, type Random } from './random.ts';
import { inKubernetes, randomCluster, randomSlots } from './randomCluster.ts';

const seed = Number(process.env['SIMULATION_SEED'] ?? 1);
const cases = 2000;

/** Runs a property on many random clusters; a failure names the seed of its case. */
function forAll(t: TestContext, property: (random: Random) => 'planned' | 'refused'): void {
  let planned = 0;
  for (let number = 0; number < cases; number++) {
    const own = seed * 1_000_003 + number;
    try {
      if (property(seeded(own)) === 'planned') planned++;
    } catch (error) {
      throw new Error(`seed ${own}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
  t.diagnostic(`seed ${seed}: ${planned} of ${cases} random requests gave a plan, the others were refused`);
  assert.ok(planned > cases / 4, `only ${planned} of ${cases} requests gave a plan`);
}

function planOrRefusal(plan: () => Plan): Plan | undefined {
  try {
    return plan();
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Carries a plan out and looks after every step whether every slot is owned once. */
function carryOutAll(snapshot: ClusterSnapshot, plan: Plan): Model {
  const model = modelOf(snapshot);
  assertOwnedOnce(model);
  for (const step of plan.steps) {
    carryOut(model, step);
    assertOwnedOnce(model);
  }
  return model;
}

test('every reshard keeps all slots owned once at every step, and moves what was asked for', (t) => {
  forAll(t, (random) => {
    const snapshot = randomCluster(random, { fewestMasters: 2, replicas: [0, 1, 2], emptyMasters: true });
    const masters = mastersOf(snapshot);
    const to = random.pick(masters);
    const some = masters.filter((node) => node !== to && random.below(2) === 0).map(({ id }) => id);
    const request: ReshardRequest = {
      to: to.id,
      from: random.below(2) === 0 ? 'all' : some,
      slots: random.below(2) === 0 ? 1 + random.below(3000) : randomSlots(random),
    };
    const plan = planOrRefusal(() => planReshard(snapshot, request));
    if (plan === undefined) return 'refused';
    const gained = subtractSlots(carryOutAll(snapshot, plan).members.get(to.id)?.slots ?? [], to.slots);
    const { slots } = request;
    if (typeof slots === 'number') assert.equal(countSlots(gained), slots);
    else assert.deepEqual(gained, subtractSlots(slots, to.slots));
    return 'planned';
  });
});

test('every rebalance ends within the threshold, by the fewest slots, each slot owned once at every step', (t) => {
  forAll(t, (random) => {
    const snapshot = randomCluster(random, { fewestMasters: 2, replicas: [0, 1], emptyMasters: true });
    const masters = mastersOf(snapshot);
    const request: RebalanceRequest = {
      threshold: random.pick([0, 1, 2, 5, 10, 50]),
      useEmptyMasters: random.below(2) === 0,
      weights: Object.fromEntries(
        masters.filter(() => random.below(4) === 0).map(({ id }) => [id, random.pick([0, 0.5, 1, 2, 3.7])]),
      ),
    };
    const plan = planOrRefusal(() => planRebalance(snapshot, request));
    if (plan === undefined) return 'refused';
    const model = carryOutAll(snapshot, plan);
    const bounds = boundsOf(snapshot, request);
    for (const { id, low, high } of bounds) {
      const has = countSlots(model.members.get(id)?.slots ?? []);
      assert.ok(has >= low && has <= high, `${id} has ${has} slots, not ${low} to ${high}`);
    }
    const moved = plan.steps.reduce(
      (sum, step) => sum + (step.kind === 'moveSlots' ? countSlots(step.slots) : 0),
      0,
    );
    assert.equal(moved, fewest(bounds));
    assertMovedOnce(plan);
    return 'planned';
  });
});

for (const where of ['in Kubernetes', 'by address'] as const) {
  test(`removing a shard ${where} leaves no other shard without a copy at any step, and no slot without an owner`, (t) => {
    forAll(t, (random) => {
      const bare = randomCluster(random, { fewestMasters: 4, replicas: [1, 1, 2], emptyMasters: false });
      const snapshot = where === 'in Kubernetes' ? inKubernetes(random, bare) : bare;
      const leaving = random.pick(mastersOf(snapshot));
      const plan = planOrRefusal(() => planRemoveShard(snapshot, { node: leaving.id }, {}));
      if (plan === undefined) return 'refused';
      const model = modelOf(snapshot);
      for (const step of plan.steps) {
        carryOut(model, step);
        assertOwnedOnce(model);
        assert.deepEqual(withoutCopy(model), [], `after "${step.text}"`);
      }
      const owners = [...model.members.values()].filter(({ slots }) => slots.length > 0);
      assert.equal(owners.length, mastersOf(snapshot).length - 1);
      const shard = snapshot.nodes.filter((node) => node === leaving || node.masterId === leaving.id);
      assert.equal(model.members.size, snapshot.nodes.length - shard.length);
      if (where === 'in Kubernetes') assertLowestPodsStay(snapshot, model);
      return 'planned';
    });
  });
}

/** A StatefulSet can only drop its highest ordinals, so whoever is left has to be in the others. */
function assertLowestPodsStay(snapshot: ClusterSnapshot, { members }: Model): void {
  for (const { id, pod } of snapshot.nodes) {
    const ordinal = Number(pod?.name.slice('cart-'.length));
    assert.equal(members.has(id), ordinal < members.size, `${id} in pod ${pod?.name ?? ''}`);
  }
}

interface Bound {
  readonly id: string;
  readonly has: number;
  readonly low: number;
  readonly high: number;
}

/** What the threshold allows: so many percent about the share, and always the whole numbers next to it. */
function boundsOf(
  snapshot: ClusterSnapshot,
  { threshold = 2, weights = {}, useEmptyMasters }: RebalanceRequest,
): readonly Bound[] {
  const masters = mastersOf(snapshot);
  const weight = (id: string, slots: number): number =>
    weights[id] ?? (slots > 0 || useEmptyMasters === true ? 1 : 0);
  const total = masters.reduce((sum, { id, slots }) => sum + weight(id, countSlots(slots)), 0);
  return masters.map(({ id, slots }) => {
    const has = countSlots(slots);
    const share = (slotCount * weight(id, has)) / total;
    const [low, high] = [share * (1 - threshold / 100), share * (1 + threshold / 100)];
    return {
      ...{ id, has },
      low: Math.min(Math.floor(share), Math.ceil(low)),
      high: Math.max(Math.ceil(share), Math.floor(high)),
    };
  });
}

/** Whatever is done, the too big have to give what is above their bounds, and the too small to get what is below. */
function fewest(bounds: readonly Bound[]): number {
  const above = bounds.reduce((sum, { has, high }) => sum + Math.max(0, has - high), 0);
  const below = bounds.reduce((sum, { has, low }) => sum + Math.max(0, low - has), 0);
  return Math.max(above, below);
}

function assertMovedOnce(plan: Plan): void {
  const moves = plan.steps.flatMap((step) => (step.kind === 'moveSlots' ? [step.slots] : []));
  for (const [index, slots] of moves.entries()) {
    for (const others of moves.slice(index + 1)) assert.deepEqual(intersectSlots(slots, others), []);
  }
}
