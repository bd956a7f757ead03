import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check, isSound } from '../../../src/checks/check.ts';
import { checkText } from '../../../src/checks/checkText.ts';
import { verdictText } from '../../../src/checks/verdict.ts';
import type { ClusterPart, ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { clusterRow } from '../../../src/ui/tree/clusterRow.ts';
import { slotMapState } from '../../../src/ui/panels/slotMap/slotMapState.ts';
import { mergeViews } from '../../../src/inventory/mergeViews.ts';
import { planForget } from '../../../src/operations/forget.ts';
import { planScale } from '../../../src/operations/scale.ts';
import { ids, line, pod, snapshotOf, source } from '../sample.ts';

const whole = snapshotOf(ids.map((id) => source(id)));

function part(id: string, why: ClusterPart['why'], keys: number): ClusterPart {
  const nodes = snapshotOf([source(id, { others: [], keys })]).nodes;
  return { nodes, keys, slots: why === 'lost-identity' ? [[0, 99]] : [], why };
}

const apart: ClusterSnapshot = {
  ...snapshotOf(
    ids.slice(0, 4).map((id) =>
      source(id, {
        others: ids
          .slice(0, 4)
          .filter((other) => other !== id)
          .map((other) => line(other)),
      }),
    ),
  ),
  otherParts: [part('r1', 'lost-identity', 1200), part('r2', 'lost-volume', 0)],
};

test('a cluster that has fallen apart says into which parts and why, and offers nothing that changes one', () => {
  const findings = check(apart);
  const [found] = findings;
  assert.deepEqual([found?.rule, found?.severity], ['apart', 'error']);
  assert.equal(found?.message, 'The cluster is split into 2 parts that do not know each other.');
  assert.deepEqual(found.evidence, [
    'This part: cart-0, cart-1, cart-2, cart-3 (300 keys).',
    'cart-4 (1,200 keys, 100 slots): lost its identity (nodes.conf): it holds the data of a member under another node id.',
  ]);
  for (const { remedy = '' } of findings) assert.doesNotMatch(remedy, /Fix|Forget|Heal|Delete/);
  const strange = ids.slice(0, 4).map((id) => {
    const others = ids.slice(0, 4).filter((other) => other !== id);
    const lost = line('r1', { id: 'x', flags: ['master', 'fail'] });
    return source(id, { others: [...others.map((other) => line(other)), lost] });
  });
  const four = snapshotOf(strange).workloads.map((set) => ({ ...set, replicas: 4, readyReplicas: 4 }));
  const unknown = check({ ...snapshotOf(strange), workloads: four, otherParts: apart.otherParts }).find(
    ({ rule }) => rule === 'unknown-node',
  );
  assert.match(unknown?.remedy ?? '', /^First resolve the finding about the parts of the cluster/);
  assert.equal(isSound(findings), false);
  assert.match(verdictText(apart, findings), /^cart is unhealthy: 1 error/);
  assert.match(checkText(apart, findings), /\[ERR\] The cluster is split into 2 parts/);
});

test('another whole cluster that was named by mistake is called that, and never to be brought together', () => {
  const named = ['m0', 'm1', 'm2'].map((id) => source(id, { others: [] }));
  const merged = mergeViews(
    ids.map((id) => source(id)),
    {
      apart: named.map(({ reading }, index) => {
        const { view } = reading;
        assert.ok(view);
        const self = { ...view.self, id: `b${index}` };
        const others = [0, 1, 2].flatMap((other) =>
          other === index ? [] : [line(`m${other}`, { id: `b${other}` })],
        );
        return { address: `127.0.0.1:${index}`, reading: { ...reading, view: { ...view, self, others } } };
      }),
    },
  );
  assert.deepEqual(
    merged.otherParts.map(({ nodes, why }) => [nodes.length, why]),
    [[3, 'own-cluster']],
  );
  const both: ClusterSnapshot = { ...whole, ...merged };
  const [found] = check(both);
  assert.equal(found?.message, 'The addresses lead to 2 clusters that do not know each other.');
  assert.match(found.remedy ?? '', /^Remove the addresses of the other cluster/);
  const refused = /addresses of 2 clusters: .*Remove those of the other cluster first/;
  assert.throws(() => planForget(both, {}), refused);
});

test('its row says so, its other parts have rows of their own without commands, and the slot map says it too', () => {
  const row = clusterRow(apart, { all: [] });
  assert.match(row.description ?? '', /^split · largest of 2 parts · 3 shards · 4 nodes$/);
  assert.match(row.facets, /^cluster apart /);
  const parts = row.children.filter(({ facets }) => facets === 'part');
  assert.deepEqual(
    parts.map(({ label, description, icon }) => [label, description, icon.name]),
    [['Part 2', 'disconnected from the other nodes · 1 node · 1,200 keys · 100 slots', 'error']],
  );
  assert.deepEqual(
    parts.map(({ children }) => children.map(({ label, facets, target }) => [label, facets, target])),
    [[['cart-4', 'partNode', undefined]]],
  );
  assert.match(slotMapState(apart).problems.join('\n'), /split into 2 parts/);
});

test('a server that runs empty beside its cluster is no part of it: it is to join, and may be let in', () => {
  const empty = (id: string, uptimeSeconds: number): ReturnType<typeof source> => {
    const self = line(id, { slots: [], flags: ['master'] });
    const { reading } = source('m0', { self, others: [], keys: 0, uptimeSeconds });
    return { pod: pod('cart-6', '10.0.9.9'), reading: { ...reading, lastId: id } };
  };
  const workloads = [
    { kind: 'StatefulSet', name: 'cart', replicas: 7, readyReplicas: 7, bundled: false } as const,
  ];
  const joining = { ...snapshotOf([...ids.map((id) => source(id)), empty('m9', 1)]), workloads };
  assert.equal(joining.otherParts.length, 1);
  const findings = check(joining);
  assert.deepEqual(
    findings.map(({ rule, severity }) => [rule, severity]),
    [['loose-pod', 'info']],
  );
  assert.match(clusterRow(joining, { all: [] }).description ?? '', /^healthy · /);
  assert.match(planScale(joining, { pods: 7 }).title, /to 7 pods/);

  const gone = { ...line('r2'), flags: ['slave', 'fail'], linkState: 'disconnected' } as const;
  const left = ids.slice(0, 5).map((id) => {
    const others = ids.filter((other) => other !== id).map((other) => (other === 'r2' ? gone : line(other)));
    return source(id, { others });
  });
  const emptied = { ...snapshotOf([...left, empty('m9', 1)]), workloads };
  const found = check(emptied).find(({ rule }) => rule === 'loose-pod');
  assert.deepEqual(
    [found?.severity, found?.message],
    ['warning', 'Pod cart-6 came back empty with another node id: its volume was lost or is not mounted.'],
  );
  assert.match(clusterRow(emptied, { all: [] }).facets, /^cluster degraded /);
});

test('another node at a member’s address, and merged clusters, are errors that name both', () => {
  const impostors = [{ address: '10.0.0.9:6379', listedId: 'm9aaaaaaaaaa', answeringId: 'x1bbbbbbbbbb' }];
  const [impostor] = check({ ...whole, impostors });
  assert.deepEqual([impostor?.rule, impostor?.severity], ['impostor', 'error']);
  assert.match(
    impostor?.message ?? '',
    /Node x1bbbbbb of another cluster answers at 10\.0\.0\.9:6379 instead of member m9aaaaaa\./,
  );
  const [merged] = check({ ...whole, mergedFrom: ['cart', 'stock'] });
  assert.deepEqual([merged?.rule, merged?.severity], ['merged', 'error']);
  assert.match(merged?.message ?? '', /Clusters cart and stock have merged/);
  assert.match(merged?.remedy ?? '', /^Change nothing until you have decided/);
});
