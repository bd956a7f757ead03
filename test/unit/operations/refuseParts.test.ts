import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../../src/model/errors.ts';
import type { ClusterPart, ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { planFix } from '../../../src/operations/fix.ts';
import { planFlush } from '../../../src/operations/flush.ts';
import { planForget } from '../../../src/operations/forget.ts';
import { planMoveMastersOff } from '../../../src/operations/moveMastersOff.ts';
import { planRebalance } from '../../../src/operations/rebalance.ts';
import { choosePart, refuseApart } from '../../../src/operations/refusals/refuseParts.ts';
import { planRemoveShard } from '../../../src/operations/removeShard.ts';
import { planReplicate } from '../../../src/operations/replicate.ts';
import { planReshard } from '../../../src/operations/reshard.ts';
import { planScale } from '../../../src/operations/scale.ts';
import { planScaleShape } from '../../../src/operations/scaleShape.ts';
import { ids, pod, snapshotOf, source } from '../sample.ts';

const whole = snapshotOf(ids.map((id) => source(id)));

function apart(changes: Partial<ClusterPart> = {}): ClusterSnapshot {
  const [node] = whole.nodes;
  assert.ok(node);
  const nodes = [{ ...node, id: 'x9', pod: pod('cart-9', '10.0.0.9') }];
  const part: ClusterPart = { nodes, keys: 120, slots: [[0, 99]], why: 'lost-identity', ...changes };
  return { ...whole, otherParts: [part] };
}

const fallen = (error: unknown): boolean => {
  assert.ok(error instanceof UserError);
  assert.equal(error.reason, 'unsafe');
  assert.match(error.message, /is split into 2 parts.*cart-9 \(120 keys, came back under another id\)/);
  assert.match(error.message, /part: "cart-0".*Nothing was changed\.$/);
  return true;
};

test('a cluster that has fallen apart is changed by no plan that moves, assigns, forgets, resets or deletes', () => {
  const facts = { volumes: [] } as never;
  const plans: Readonly<Record<string, (snapshot: ClusterSnapshot) => unknown>> = {
    reshard: (s) => planReshard(s, { from: 'all', to: 'm0', slots: 10 }),
    rebalance: (s) => planRebalance(s, {}),
    removeShard: (s) => planRemoveShard(s, { node: 'm0' }, facts),
    scale: (s) => planScale(s, { pods: 8 }),
    scaleShape: (s) => planScaleShape(s, { masters: 4 }, facts),
    fix: (s) => planFix(s, new Map()),
    forget: (s) => planForget(s, { node: 'r0' }),
    flush: (s) => planFlush(s),
    replicate: (s) => planReplicate(s, { node: 'r0', master: 'm1' }),
    moveMastersOff: (s) => planMoveMastersOff(s, { worker: 'worker-0' }),
  };
  for (const [name, plan] of Object.entries(plans)) assert.throws(() => plan(apart()), fallen, name);
});

test('the part to change is named by a node that answers', () => {
  const snapshot = apart();
  const nodes = snapshot.nodes.map((node, index) => {
    const { view, ...silent } = node;
    return index === 0 && view !== undefined ? { ...silent, health: 'unreachable' as const } : node;
  });
  assert.throws(() => {
    refuseApart({ ...snapshot, nodes });
  }, /part: "cart-1"/);
});

test('empty servers that stand apart are no obstacle: nothing of them can be lost', () => {
  refuseApart(whole);
  refuseApart(apart({ keys: 0, slots: [], why: 'lost-volume' }));
  assert.throws(() => {
    refuseApart(apart({ keys: 0 }));
  }, /is split/);
});

test('a person chooses by a node of the part that commands change', () => {
  refuseApart(choosePart(apart(), 'cart-0'));
  refuseApart(choosePart(apart(), 'm0'));
  assert.throws(() => choosePart(apart(), 'cart-9'), /is in a part .* that commands do not change/);
  assert.throws(
    () => choosePart(apart(), 'cart-7'),
    /has no node cart-7\. Its parts: cart-0 and 5 other nodes/,
  );
});
