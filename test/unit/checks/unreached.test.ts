import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from '../../../src/checks/check.ts';
import { behindNat } from '../sample.ts';

const inKubernetes = { context: 'test', namespace: 'shop', name: 'cart' };

test('nodes that others are connected to and this machine does not reach are one finding, not as many failures', () => {
  const findings = check(behindNat());
  const found = findings.filter(({ rule }) => ['reachable', 'unreached', 'no-replica'].includes(rule));
  assert.deepEqual(
    found.map(({ rule, severity }) => [rule, severity]),
    [
      ['unreached', 'error'],
      ['no-replica', 'warning'],
    ],
  );
  const [unreached, noReplica] = found;
  assert.equal(unreached?.nodeIds.length, 5);
  assert.match(unreached.message, /^Not reached here, though other nodes are connected: /);
  assert.match(unreached.remedy ?? '', /“Reach Nodes As…”/);
  assert.match(noReplica?.message ?? '', /^It is unknown whether a replica could take over/);
  assert.match(noReplica?.remedy ?? '', /the finding about it says how/);
});

test('where peers have lost them, or they are reached through pods, each is a node that does not answer', () => {
  const snapshot = behindNat();
  const nodes = snapshot.nodes.map((node) => ({
    ...node,
    ...(node.view === undefined
      ? {}
      : {
          view: {
            ...node.view,
            others: node.view.others.map((line) => ({ ...line, linkState: 'disconnected' as const })),
          },
        }),
  }));
  for (const other of [
    { ...snapshot, nodes },
    { ...snapshot, ref: inKubernetes },
  ]) {
    const rules = check(other).map(({ rule }) => rule);
    assert.equal(rules.filter((rule) => rule === 'reachable').length, 5);
    assert.ok(!rules.includes('unreached'));
  }
});
