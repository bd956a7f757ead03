import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UserError } from '../../../src/model/errors.ts';
import type { ClusterSnapshot, RedisNode } from '../../../src/model/snapshot.ts';
import { planAddShard } from '../../../src/operations/addShard.ts';
import { planFix } from '../../../src/operations/fix.ts';
import type { PossibleOwnerFacts } from '../../../src/operations/repair/possibleOwners.ts';
import { planFlush } from '../../../src/operations/flush.ts';
import { planForget } from '../../../src/operations/forget.ts';
import { planHeal } from '../../../src/operations/heal.ts';
import { planMoveMastersOff } from '../../../src/operations/moveMastersOff.ts';
import { planPromote } from '../../../src/operations/promote.ts';
import { planRebalance } from '../../../src/operations/rebalance.ts';
import { planRemoveShard } from '../../../src/operations/removeShard.ts';
import { planReplicate } from '../../../src/operations/replicate.ts';
import { planReshard } from '../../../src/operations/reshard.ts';
import { planScale } from '../../../src/operations/scale.ts';
import { bringsBack, planScaleBack } from '../../../src/operations/scaleBack.ts';
import { planScaleShape } from '../../../src/operations/scaleShape.ts';
import { planSetConfig } from '../../../src/operations/setConfig.ts';
import { planUpgrade } from '../../../src/operations/upgrade.ts';
import type { UpgradeFacts } from '../../../src/operations/statefulSets/facts.ts';
import { ids, line, pod, silent, snapshotOf, source, view } from '../sample.ts';

const whole = snapshotOf(ids.map((id) => source(id)));
const failure = { reason: 'password' as const, message: 'The server asks for a password.' };
const unread: ClusterSnapshot = {
  ...whole,
  nodes: [],
  loosePods: [pod('cart-0', '10.0.0.0'), pod('cart-1', '10.0.0.1')],
  unread: ['cart-0', 'cart-1'].map((name) => ({ pod: pod(name, '10.0.0.0'), failure })),
};
const apart: ClusterSnapshot = {
  ...whole,
  otherParts: [
    {
      nodes: whole.nodes.filter(({ id }) => id === 'm2'),
      ...{ keys: 1200, slots: [[10_923, 16_383]], why: 'lost-identity' },
    },
  ],
};
const none: PossibleOwnerFacts = { loose: new Map(), volumes: [] };

/** Every planner of what assigns, moves, removes, resets or deletes. */
const planners: Readonly<Record<string, (snapshot: ClusterSnapshot) => unknown>> = {
  addShard: (snapshot) => planAddShard(snapshot, {}, {}),
  fix: (snapshot) => planFix(snapshot, new Map(), none),
  flush: planFlush,
  forget: (snapshot) => planForget(snapshot, { node: 'r0' }),
  rebalance: (snapshot) => planRebalance(snapshot, {}),
  removeShard: (snapshot) => planRemoveShard(snapshot, { node: 'm0' }, {}),
  replicate: (snapshot) => planReplicate(snapshot, { spread: true }),
  reshard: (snapshot) => planReshard(snapshot, { from: 'all', to: 'm0', slots: 10 }),
  scale: (snapshot) => planScale(snapshot, { pods: 8 }),
  scaleShape: (snapshot) => planScaleShape(snapshot, { masters: 4 }, {}),
  takeover: (snapshot) => planPromote(snapshot, { node: 'r0', how: 'takeover' }),
  upgrade: (snapshot) => planUpgrade(snapshot, {} as UpgradeFacts, {}),
  moveMastersOff: (snapshot) => planMoveMastersOff(snapshot, { worker: 'worker-0' }),
};
/** They help where a cluster has fallen apart, or change nothing about who holds which keys. */
const alsoOfAPart: typeof planners = {
  heal: (snapshot) => planHeal(snapshot, { keys: new Map(), disputes: new Map(), announced: new Map() }),
  promote: (snapshot) => planPromote(snapshot, { node: 'r0' }),
  setConfig: (snapshot) => planSetConfig(snapshot, { name: 'hz', value: '10' }, { values: new Map() }),
};

function refused(plan: () => unknown): string {
  try {
    plan();
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.match(error.message, /Nothing was changed/);
    return error.message;
  }
  return assert.fail('it was planned');
}

describe('a cluster of which nothing was read', () => {
  for (const [name, planner] of Object.entries({ ...planners, ...alsoOfAPart })) {
    test(`${name} is refused with the reading's reason, and nothing is offered`, () => {
      const message = refused(() => planner(unread));
      assert.match(message, /cannot be read: .*cart-0, cart-1: The server asks for a password\./);
      assert.doesNotMatch(message, /no keys|Fix Uncovered|Forget/);
    });
  }
});

describe('a cluster two of whose servers have one node id', () => {
  const duplicateIds = [{ id: 'm0', servers: ['cart-0', 'copy-0'] }];
  for (const [name, planner] of Object.entries({ ...planners, ...alsoOfAPart })) {
    test(`${name} is refused: it could reach the wrong one`, () => {
      assert.match(
        refused(() => planner({ ...whole, duplicateIds })),
        /^cart-0 and copy-0 run with the same node id m0: a change could reach the wrong server/,
      );
    });
  }
});

describe('a cluster that has fallen apart', () => {
  for (const [name, planner] of Object.entries(planners)) {
    test(`${name} is refused on a part`, () => {
      assert.match(
        refused(() => planner(apart)),
        /is split.*cart-2 \(1,200 keys, came back under another id\)/,
      );
    });
  }

  test('a part that holds nothing is no obstacle', () => {
    const empty = apart.otherParts.map((part) => ({
      ...part,
      keys: 0,
      slots: [],
      why: 'lost-volume' as const,
    }));
    assert.equal(planFlush({ ...apart, otherParts: empty }).operation, 'flush');
  });
});

describe('fix', () => {
  /** m2 and r2 are declared failed, and so their slots are free to be given away. */
  const lost = (changes: Partial<ClusterSnapshot> = {}, hasPods = true): ClusterSnapshot => {
    const dead = ['m2', 'r2'];
    const seen = (id: string): ReturnType<typeof line>[] =>
      view(id).others.map((one) =>
        dead.includes(one.id) ? line(one.id, { flags: [...one.flags, 'fail'] }) : one,
      );
    const sources = ids.flatMap((id) => {
      if (!dead.includes(id)) return [source(id, { others: seen(id) })];
      return hasPods ? [silent(id)] : [];
    });
    return { ...snapshotOf(sources), ...changes };
  };
  const fix = (snapshot: ClusterSnapshot, facts: Partial<PossibleOwnerFacts> = {}): (() => unknown) => {
    return () => planFix(snapshot, new Map(), { ...none, ...facts });
  };
  const newcomer = pod('cart-6', '10.0.9.9');
  const seven = (snapshot: ClusterSnapshot): ClusterSnapshot => ({ ...snapshot, loosePods: [newcomer] });

  test('goes on where everything that could hold the slots is known', () => {
    assert.doesNotThrow(fix(lost()));
    const loose = new Map([['cart-6', { keys: 0, slots: 0 }]]);
    assert.doesNotThrow(fix(seven(lost()), { loose }));
  });

  test('is refused while a pod of the workload holds keys or slots, or cannot be asked', () => {
    const holding = new Map([['cart-6', { keys: 7, slots: 5461 }]]);
    assert.match(refused(fix(seven(lost()), { loose: holding })), /cart-6 .* holds 7 keys and 5,461 slots/);
    assert.match(refused(fix(seven(lost()))), /cart-6 .* could not be read \(Running\)/);
    const unknown = { unread: [...lost().unread, { pod: newcomer, failure }] };
    assert.match(refused(fix(seven(lost(unknown)))), /cart-6 could not be read: The server asks/);
  });

  test('of a part that a person has chosen says what is lost with the others', () => {
    const chosen = { ...lost(), otherParts: apart.otherParts, isPartChosen: true };
    const { losses } = planFix(chosen, new Map(), none);
    assert.match(losses.join(' '), /1,200 keys on cart-2 in other parts of the cluster are lost/);
  });

  test('is refused while a StatefulSet has not started all its pods', () => {
    const workloads = lost().workloads.map((one) => ({ ...one, replicas: 8 }));
    assert.match(
      refused(fix(lost({ workloads }))),
      /cart-6, cart-7 of StatefulSet cart are not among the pods/,
    );
  });

  test('is refused where replicas were lowered below the members and their volumes are kept, or may be', () => {
    const workloads = lost().workloads.map((one) => ({ ...one, replicas: 2 }));
    const two = lost({ workloads }, false);
    const down: ClusterSnapshot = {
      ...two,
      nodes: two.nodes.filter(({ id }) => !['r0', 'r1'].includes(id)),
    };
    const volumes = [4, 5].map((ordinal) => ({
      pod: `cart-${ordinal}`,
      ordinal,
      claims: [`data-cart-${ordinal}`],
    }));
    assert.match(refused(fix(down, { volumes })), /volumes of cart-4, cart-5 are kept: “Scale…” to 6 pods/);
    assert.match(refused(fix(down, { volumes: undefined })), /not allowed to list persistentvolumeclaims/);
    assert.doesNotThrow(fix(down, { volumes: volumes.map((one) => ({ ...one, claims: [] })) }));
  });

  test('and then Scale… is the way: the pods come back with their volumes, and what is lost is said', () => {
    const workloads = lost().workloads.map((one) => ({ ...one, replicas: 2 }));
    const two = lost({ workloads }, false);
    const down = { ...two, nodes: two.nodes.filter(({ id }) => !['r0', 'r1'].includes(id)) };
    const volumes = [2, 3].map((ordinal) => ({
      ...{ pod: `cart-${ordinal}`, ordinal },
      claims: ordinal === 2 ? ['data-cart-2'] : [],
    }));
    assert.ok(
      bringsBack(down, { pods: 4 }) && !bringsBack(down, { pods: 2 }) && !bringsBack(lost(), { pods: 8 }),
    );
    const plan = planScaleBack(down, { pods: 4 }, volumes);
    assert.match(plan.steps[0]?.text ?? '', /from 2 to 4 \(brings back cart-2 with their volumes\)/);
    assert.match(plan.warnings.join(' '), /cart-3 comes back empty: its volume is gone/);
    assert.match(
      refused(() => planScaleBack(down, { pods: 9 }, volumes)),
      /Scale to 4 pods first/,
    );
    // Replicas that went are only listed by the others; all of them can come back, also where volumes are not for this user to see.
    const unknownNodes = [...down.unknownNodes, line('r0'), line('r1')];
    const unseen = planScaleBack({ ...down, unknownNodes }, { pods: 6 }, undefined);
    assert.match(unseen.warnings.join(' '), /not allowed to list persistentvolumeclaims/);

    const [workload] = down.workloads;
    assert.ok(workload);
    const stopped = {
      ...unread,
      ...{ loosePods: [], unread: [], workloads: [{ ...workload, replicas: 0, readyReplicas: 0 }] },
    };
    const kept = [0, 1, 2].map((ordinal) => ({
      ...{ pod: `cart-${ordinal}`, ordinal, claims: [`data-cart-${ordinal}`] },
    }));
    assert.ok(bringsBack(stopped, { pods: 3 }) && !bringsBack(unread, { pods: 3 }));
    const back = planScaleBack(stopped, { pods: 3 }, kept);
    assert.match(back.title, /from 0 back to 3 pods/);
    assert.match(back.warnings.join(' '), /^All pods start at new addresses\./);
    assert.match(
      planScaleBack(stopped, { pods: 2 }, kept).warnings.join(' '),
      /scale to 3 to bring back all/,
    );
    assert.match(
      refused(() => planScaleBack(stopped, { pods: 6 }, kept)),
      /Scale to 3 pods first/,
    );
  });

  test('is refused while another node answers at the address of one that was not declared failed', () => {
    const impostor = (listedId: string): Partial<ClusterSnapshot> => ({
      impostors: [{ address: '10.0.0.9:6379', listedId, answeringId: 'b'.repeat(40) }],
    });
    assert.match(refused(fix(lost(impostor('a'.repeat(40))))), /Node bbbbbbbb answers at 10\.0\.0\.9:6379/);
    assert.doesNotThrow(fix(lost(impostor('m2'))));
  });

  test('is refused for servers that do not know each other, also where no cluster was formed yet', () => {
    const alone = (keys: number): ClusterSnapshot =>
      snapshotOf(ids.map((id) => source(id, { self: line(id, { slots: [] }), others: [], keys })));
    assert.match(refused(fix(alone(0))), /[Nn]o cluster (was|has been) formed yet/);
  });

  const masterOf = ({ nodes }: ClusterSnapshot, id: string): RedisNode | undefined =>
    nodes.find((node) => node.id === id);

  test('a failed master keeps its slots while peers have not declared its replica failed', () => {
    const snapshot = lost();
    const nodes = snapshot.nodes.map((node) =>
      node.id === 'r2' ? { ...node, health: 'unreachable' as const } : node,
    );
    assert.equal(masterOf(snapshot, 'm2')?.health, 'failed');
    assert.match(
      refused(fix({ ...snapshot, nodes })),
      /cart-5 does not answer from this machine.*not declared it failed/,
    );
  });
});
