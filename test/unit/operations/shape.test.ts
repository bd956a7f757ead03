import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Plan } from '../../../src/operations/plans/plan.ts';
import type { Step, StepOf } from '../../../src/operations/steps/index.ts';
import { mastersOf } from '../../../src/model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../../src/model/snapshot.ts';
import { allSlots, countSlots, subtractSlots, unionSlots, type SlotSet } from '../../../src/model/slots.ts';
import { planAddShard, type NewServer } from '../../../src/operations/addShard.ts';
import { planRemoveShard } from '../../../src/operations/removeShard.ts';
import { changesShape, planScaleShape } from '../../../src/operations/scaleShape.ts';
import { line, pod, view } from '../sample.ts';
import { nothingElse } from '../../support/nothingElse.ts';

/** A reproducible stream of numbers from 0 up to 1 (mulberry32). */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A whole cluster in one StatefulSet, its roles dealt out to the pods as the numbers have it. */
function clusterOf(replicas: readonly number[], next: () => number = () => 0): ClusterSnapshot {
  const roles = replicas.flatMap((many, shard) => [
    { id: `m${shard}`, master: undefined },
    ...Array.from({ length: many }, (_, index) => ({ id: `r${shard}${index}`, master: `m${shard}` })),
  ]);
  const dealt = roles.map((role) => ({ role, at: next() })).sort((a, b) => a.at - b.at);
  const slotsOf = (shard: number): SlotSet => {
    const first = (index: number): number => Math.round((16_384 * index) / replicas.length);
    return [[first(shard), first(shard + 1) - 1]];
  };
  const lines = dealt.map(({ role: { id, master } }, index) => {
    const slots = master === undefined ? slotsOf(Number(id.slice(1))) : [];
    const following = master === undefined ? { flags: ['master'] } : { flags: ['slave'], masterId: master };
    const plain = line('m0', { id });
    return { ...plain, ...following, slots, host: `10.0.0.${index}` };
  });
  const nodes = lines.map((self, index): RedisNode => {
    const isMaster = self.flags.includes('master');
    const keys = isMaster ? countSlots(self.slots) : 100;
    return {
      ...self,
      role: isMaster ? 'master' : 'replica',
      health: 'ok',
      pod: pod(`cart-${index}`, self.host),
      view: view(isMaster ? 'm0' : 'r0', { self, others: lines.filter((one) => one !== self), keys }),
    };
  });
  return {
    ref: { context: 'test', namespace: 'shop', name: 'cart' },
    name: 'cart',
    takenAt: 0,
    nodes,
    ...nothingElse,
    workloads: [
      {
        kind: 'StatefulSet',
        name: 'cart',
        replicas: nodes.length,
        readyReplicas: nodes.length,
        bundled: true,
      },
    ],
  };
}

interface Member {
  readonly id: string;
  readonly pod: string;
  slots: SlotSet;
  master: string | undefined;
}

/** Carries a plan out on a cluster of nothing but names, and watches over what must hold at every step. */
function carryOut(
  snapshot: ClusterSnapshot,
  plan: Plan,
  always: (members: readonly Member[]) => void,
): readonly Member[] {
  let members: Member[] = snapshot.nodes.map(({ id, pod: own, slots, masterId }) => ({
    id,
    pod: own?.name ?? id,
    slots,
    master: masterId,
  }));
  const find = (id: string, name?: string): Member => {
    const found = members.find((one) => (name === undefined ? one.id === id : one.pod === name));
    assert.ok(found, `there is no member ${id} ${name ?? ''}`);
    return found;
  };
  const followed = (id: string): boolean => members.some(({ master }) => master === id);
  const acts: { readonly [K in Step['kind']]?: (step: StepOf<K>) => void } = {
    moveSlots: (step) => {
      const [from, to] = [find(step.from), find(step.to, step.pod)];
      assert.equal(to.master, undefined, 'slots go to masters only');
      assert.deepEqual(subtractSlots(step.slots, from.slots), [], 'only what one has can be moved');
      from.slots = subtractSlots(from.slots, step.slots);
      to.slots = unionSlots(to.slots, step.slots);
    },
    promote: (step) => {
      const node = find(step.node);
      const old = find(node.master ?? '');
      for (const one of members) if (one.master === old.id) one.master = node.id;
      Object.assign(node, { slots: old.slots, master: undefined });
      Object.assign(old, { slots: [], master: node.id });
    },
    replicate: (step) => {
      const [node, master] = [find(step.node, step.pod), find(step.master, step.masterPod)];
      assert.equal(master.master, undefined, 'only masters are followed');
      assert.ok(node.slots.length === 0 && !followed(node.id), `${node.id} serves something`);
      node.master = master.id;
    },
    resetNode: (step) => {
      const node = find(step.node);
      assert.ok(node.slots.length === 0 && !followed(node.id), `${node.id} is needed`);
      members = members.filter((one) => one !== node);
    },
    emptyMaster: (step) => {
      const fresh = step.pods.filter((name) => !members.some((one) => one.pod === name));
      members.push(...fresh.map((name) => ({ id: `new ${name}`, pod: name, slots: [], master: undefined })));
    },
    setReplicas: (step) => {
      for (const one of members) assert.ok(Number(one.pod.slice(5)) < step.pods, `${one.pod} would end`);
    },
  };
  const act = <K extends Step['kind']>(step: StepOf<K> & Step): void => {
    const kind: K = step.kind;
    acts[kind]?.(step);
    const all = members.map(({ slots }) => slots);
    assert.deepEqual(unionSlots(...all), allSlots, `every slot has an owner after: ${step.text}`);
    assert.equal(
      all.reduce((sum, slots) => sum + countSlots(slots), 0),
      16_384,
      'and only one',
    );
    always(members);
  };
  for (const step of plan.steps) act(step);
  return members;
}

/** Replicas of the masters that have slots, the least first. */
function copies(members: readonly Member[]): readonly number[] {
  return members
    .filter(({ slots }) => slots.length > 0)
    .map(({ id }) => members.filter(({ master }) => master === id).length)
    .sort((a, b) => a - b);
}

describe('the shape of a cluster', () => {
  test('a shard is added: pods, empty masters, functions, replicas, its share of the slots', () => {
    const snapshot = clusterOf([1, 1, 1]);
    const plan = planAddShard(snapshot, {}, {});
    assert.deepEqual(
      plan.steps.map(({ kind }) => kind),
      [
        'setReplicas',
        'emptyMaster',
        'copyFunctions',
        'replicate',
        'moveSlots',
        'moveSlots',
        'moveSlots',
        'waitForPods',
      ],
    );
    const members = carryOut(snapshot, plan, () => undefined);
    assert.deepEqual(copies(members), [1, 1, 1, 1]);
    assert.deepEqual(
      members.map(({ slots }) => countSlots(slots)).filter((many) => many > 0),
      [4096, 4096, 4096, 4096],
    );
  });

  test('pods that wait there already, and empty masters that a stopped run left, are taken first', () => {
    const snapshot = clusterOf([1, 1, 1]);
    const loosePods = [pod('cart-6', '10.0.0.6')];
    const workloads = snapshot.workloads.map((one) => ({ ...one, replicas: 7 }));
    const [grow, join] = planAddShard({ ...snapshot, loosePods, workloads }, {}, {}).steps;
    assert.deepEqual(grow?.kind === 'setReplicas' ? [grow.from, grow.pods] : [], [7, 8]);
    assert.deepEqual(join?.kind === 'emptyMaster' ? join.pods : [], ['cart-6', 'cart-7']);
  });

  test('outside Kubernetes the empty servers are named; one that is not empty is refused', () => {
    const snapshot = { ...clusterOf([1, 1, 1]), ref: { addresses: ['10.0.0.1:6379'] }, workloads: [] };
    const server: NewServer = {
      address: '10.1.0.1:6379',
      id: 'new',
      host: '10.1.0.1',
      port: 6379,
      busPort: 16379,
      keys: 0,
      slots: 0,
      others: 0,
    };
    const plan = planAddShard(snapshot, { addresses: [server.address] }, { servers: [server] });
    assert.deepEqual(
      plan.steps.map(({ kind }) => kind),
      ['meet', 'copyFunctions', 'moveSlots', 'moveSlots', 'moveSlots'],
    );
    assert.throws(
      () => planAddShard(snapshot, {}, { servers: [{ ...server, keys: 3 }] }),
      /is not empty: it holds 3 keys/,
    );
    assert.throws(
      () => planAddShard(snapshot, {}, { servers: [server, { ...server, address: 'localhost:6379' }] }),
      /10\.1\.0\.1:6379 and localhost:6379 lead to the same node new\. Enter each server once/,
    );
    assert.throws(() => planAddShard(snapshot, {}, {}), /enter their addresses/);
  });

  test('who owns the StatefulSet is named, and a raw scale refused', () => {
    const facts = { owner: { name: 'the Helm release "cart"', tool: 'Helm' } };
    assert.throws(() => planAddShard(clusterOf([1, 1, 1]), {}, facts), /managed by the Helm release "cart"/);
    assert.throws(() => planScaleShape(clusterOf([1, 1, 1]), { masters: 4 }, facts), /Scale it there/);
  });

  test('three masters stay', () => {
    assert.throws(() => planRemoveShard(clusterOf([1, 1, 1]), { node: 'm1' }, {}), /2 masters would remain/);
    assert.throws(() => planScaleShape(clusterOf([1, 1, 1]), { masters: 2 }, {}), /needs 3 masters/);
  });

  test('volumes go on request only, and are named as lost', () => {
    const facts = { claimTemplates: ['data'] };
    const kept = planRemoveShard(clusterOf([1, 1, 1, 1]), { node: 'm3' }, facts);
    assert.deepEqual(kept.losses, []);
    assert.match(kept.warnings.join(' '), /2 volumes of the removed pods are kept/);
    const lost = planRemoveShard(clusterOf([1, 1, 1, 1]), { node: 'm3', volumes: true }, facts);
    const last = lost.steps.at(-1);
    assert.deepEqual(last?.kind === 'deleteVolumes' ? last.claims : [], ['data-cart-6', 'data-cart-7']);
    const claimUids = new Map([6, 7].map((ordinal) => [`data-cart-${ordinal}`, `uid-${ordinal}`]));
    const those = planRemoveShard(
      clusterOf([1, 1, 1, 1]),
      { node: 'm3', volumes: true },
      { ...facts, claimUids },
    ).steps.at(-1);
    assert.deepEqual(those?.kind === 'deleteVolumes' ? those.uids : [], ['uid-6', 'uid-7']);
    assert.equal(lost.losses.length, 1);
  });

  test('adding replicas alone is left to the agents', () => {
    const snapshot = clusterOf([1, 1, 1]);
    assert.equal(changesShape(snapshot, { pods: 9 }), false);
    assert.equal(changesShape(snapshot, { replicasPerMaster: 2 }), false);
    assert.equal(changesShape(snapshot, { pods: 3 }), true);
    assert.equal(changesShape(snapshot, { masters: 4 }), true);
  });

  test('the shape that is there: nothing to do, but to even out what a scale that was stopped has left', () => {
    assert.equal(changesShape(clusterOf([1, 2, 1]), { pods: 7 }), false);
    assert.throws(() => planScaleShape(clusterOf([1, 2, 1]), { pods: 7 }, {}), /4 replicas already/);
    const crowded = clusterOf([3, 1, 1]);
    assert.equal(changesShape(crowded, { pods: 8 }), true);
    const { steps, warnings } = planScaleShape(crowded, { pods: 8 }, {});
    assert.deepEqual(
      steps.map((step) => step.kind === 'replicate' && step.master),
      ['m1'],
    );
    assert.match(warnings.join(), /copies the other shard in full/);
  });

  test('a number of pods goes without one of masters, and both are whole numbers', () => {
    const snapshot = clusterOf([1, 1, 1]);
    assert.throws(() => changesShape(snapshot, { pods: 6.5 }), /6\.5 is not a number of pods/);
    assert.throws(() => changesShape(snapshot, { masters: -1 }), /-1 is not a number of pods/);
    assert.throws(() => changesShape(snapshot, { pods: 9, masters: 3 }), /not both/);
  });

  test('two directions at once are two steps', () => {
    assert.throws(
      () => planScaleShape(clusterOf([2, 2, 2]), { masters: 4, replicasPerMaster: 1 }, {}),
      /takes two steps/,
    );
  });

  test('wherever the roles are: no slot without an owner, no shard without a copy, no pod ended that serves', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const next = numbersFrom(seed);
      const masters = 4 + Math.floor(next() * 4);
      const each = 1 + Math.floor(next() * 2);
      const snapshot = clusterOf(
        Array.from({ length: masters }, () => each),
        next,
      );
      const removed = mastersOf(snapshot)[Math.floor(next() * masters)]?.id ?? '';
      const kinds: readonly (() => Plan)[] = [
        () => planRemoveShard(snapshot, { node: removed }, {}),
        () => planScaleShape(snapshot, { masters: 3 }, {}),
        () => planScaleShape(snapshot, { replicasPerMaster: each - 1 }, {}),
        () => planScaleShape(snapshot, { masters: 3, replicasPerMaster: each - 1 }, {}),
        () => planScaleShape(snapshot, { masters: masters + 2 }, {}),
      ];
      for (const [index, make] of kinds.entries()) {
        const least = index === 2 || index === 3 ? each - 1 : each;
        const members = carryOut(snapshot, make(), (now) => {
          // A shard that gives its slots away may lose its copies; one that keeps them never has too few.
          for (const master of snapshot.nodes.filter(({ slots }) => slots.length > 0)) {
            const { id, slots = [] } = now.find((one) => one.id === master.id) ?? {};
            if (subtractSlots(master.slots, slots).length > 0) continue;
            const has = now.filter((one) => one.master === id).length;
            assert.ok(has >= least, `seed ${seed}, way ${index}: ${master.id} has ${has} copies`);
          }
        });
        assert.deepEqual(new Set(copies(members)), new Set([least]), `seed ${seed}, way ${index}`);
      }
    }
  });
});
