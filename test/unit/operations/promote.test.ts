import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { planPromote } from '../../../src/operations/promote.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { ids, line, pod, silent, snapshotOf, source } from '../sample.ts';

const whole = snapshotOf(ids.map((id) => source(id)));

/** The masters with these numbers have failed, and their pods are gone or as given. */
function without(
  numbers: readonly number[],
  left: 'gone' | 'silent' | 'ended',
  names: 'named' | 'nameless' = 'named',
): ClusterSnapshot {
  const dead = numbers.map((number) => `m${number}`);
  const others = ids.map((id) =>
    line(id, {
      ...(dead.includes(id) ? { flags: ['master', 'fail'], linkState: 'disconnected' as const } : {}),
      ...(names === 'named' ? { hostname: `cart-${ids.indexOf(id)}.cart` } : {}),
    }),
  );
  const alive = ids
    .filter((id) => !dead.includes(id))
    .map((id) =>
      source(id, {
        others: others.filter((one) => one.id !== id),
        clusterState: 'fail',
        ...(dead.includes(`m${id.slice(1)}`)
          ? { replication: { role: 'replica', offset: 900, linkUp: false, syncing: false, replicas: [] } }
          : {}),
      }),
    );
  const bodies = dead.map((id) => {
    const { pod: facts, ...rest } = silent(id);
    return { ...rest, pod: { ...(facts ?? pod(id, '')), ...(left === 'ended' ? { ended: true } : {}) } };
  });
  return snapshotOf(left === 'gone' ? alive : [...alive, ...bodies]);
}

describe('promoting a replica', () => {
  test('its master hands over, and nothing is lost', () => {
    const plan = planPromote(whole, { node: 'r1' });
    assert.deepEqual(
      plan.steps.map(({ kind }) => kind),
      ['promote'],
    );
    assert.deepEqual(plan.losses, []);
    assert.match(plan.steps[0]?.text ?? '', /Fail over to cart-4 \(from cart-1 with 5,462 slots; /);
  });

  test('a master, an unknown node and another word are refused', () => {
    assert.throws(() => planPromote(whole, { node: 'm1' }), /is already a master/);
    assert.throws(() => planPromote(whole, { node: 'x9' }), /has no node "x9".*Nothing was changed/);
    assert.throws(() => planPromote(whole, { node: 'r1', how: 'hard' as 'force' }), /"how" must be/);
  });

  test('a replica without a link is not handed anything', () => {
    const replication = { role: 'replica', offset: 0, linkUp: false, syncing: true, replicas: [] } as const;
    const snapshot = snapshotOf(ids.map((id) => source(id, id === 'r1' ? { replication } : {})));
    assert.throws(() => planPromote(snapshot, { node: 'r1' }), /has no link to its master cart-1/);
  });

  test('from a master that is well nothing is taken by force', () => {
    assert.throws(() => planPromote(whole, { node: 'r1', how: 'force' }), /answers and is connected/);
    assert.throws(() => planPromote(whole, { node: 'r1', how: 'takeover' }), /answers and is connected/);
  });

  test('with one master gone a replica is elected by force; unreplicated writes are named as lost', () => {
    const snapshot = without([1], 'silent');
    assert.throws(() => planPromote(snapshot, { node: 'r1' }), /how "force"/);
    const plan = planPromote(snapshot, { node: 'r1', how: 'force' });
    assert.match(plan.losses.join(' '), /had not yet replicated to cart-4/);
    assert.throws(() => planPromote(snapshot, { node: 'r1', how: 'takeover' }), /Most masters answer/);
  });

  test('with most masters gone nobody can be elected', () => {
    const snapshot = without([0, 1], 'silent');
    assert.throws(
      () => planPromote(snapshot, { node: 'r1', how: 'force' }),
      /2 of 3 voting masters do not answer/,
    );
  });

  test('a master that could not be read is never said not to answer', () => {
    const snapshot = without([0, 1], 'silent');
    const failure = { reason: 'password', message: 'Redis asks for a password.' } as const;
    const nodes = snapshot.nodes.map((node) =>
      node.view === undefined ? { ...node, health: 'unreachable' as const, unreachable: failure } : node,
    );
    const denied = { ...snapshot, nodes };
    const said = /2 of 3 voting masters could not be read \(cart-0: .*password.*, cart-1: .*password/;
    assert.throws(() => planPromote(denied, { node: 'r1', how: 'force' }), said);
    assert.throws(() => planPromote(denied, { node: 'r1' }), /The master of cart-4 could not be read \(/);
  });

  test('taking over needs proof that the masters are dead: unreachable is not dead', () => {
    assert.throws(
      () => planPromote(without([0, 1], 'silent'), { node: 'r1', how: 'takeover' }),
      /Nothing proves that cart-0, cart-1 stopped/,
    );
    for (const left of ['gone', 'ended'] as const) {
      const plan = planPromote(without([0, 1], left), { node: 'r1', how: 'takeover' });
      assert.match(
        plan.warnings.join(' '),
        left === 'gone' ? /pod cart-0 is gone/ : /container redis of pod cart-0 has terminated/,
      );
    }
    assert.throws(
      () =>
        planPromote({ ...without([0, 1], 'gone'), apiProblem: 'no answer' }, { node: 'r1', how: 'takeover' }),
      /Nothing proves/,
    );
    assert.throws(
      () =>
        planPromote(
          { ...without([0, 1], 'gone'), ref: { addresses: ['10.0.0.1:6379'] } },
          { node: 'r1', how: 'takeover' },
        ),
      /Nothing proves/,
    );
  });

  test('nodes that announce no name are dead when no pod can be theirs any more', () => {
    const nameless = without([0, 1], 'gone', 'nameless');
    const takeover = (snapshot: ClusterSnapshot): readonly string[] =>
      planPromote(snapshot, { how: 'takeover' }).warnings;
    assert.match(
      takeover(nameless).join(' '),
      /no pod has its address 10\.0\.0\.0:6379 any more, and every pod of cart runs another node, has terminated or is gone/,
    );
    const [workload] = nameless.workloads;
    assert.ok(workload);
    const loose = pod('cart-0', '10.0.9.9');
    const failure = { reason: 'timeout' as const, message: 'No answer within 3 s.' };
    const unclear: Readonly<Record<string, ClusterSnapshot>> = {
      'a pod that may be it does not answer': {
        ...nameless,
        loosePods: [loose],
        unread: [{ pod: loose, failure }],
      },
      'a pod is still to start': { ...nameless, loosePods: [{ ...loose, phase: 'Pending', ready: false }] },
      'some pod has its address': { ...nameless, loosePods: [{ ...loose, ip: '10.0.0.0' }] },
      'it may never have been a pod': { ...nameless, workloads: [{ ...workload, replicas: 4 }] },
      'nothing says that pods of one name replace each other': {
        ...nameless,
        workloads: [{ ...workload, kind: 'Other' }],
      },
    };
    for (const [why, snapshot] of Object.entries(unclear)) {
      assert.throws(() => takeover(snapshot), /Nothing proves/, why);
    }
    const otherPort = { ...loose, ip: '10.0.0.0', port: 7001 };
    takeover({ ...nameless, loosePods: [otherPort] });
  });

  test('an ended pod proves the death of one node, not of all that share its address', () => {
    const ended = without([0, 1], 'ended');
    const shared = ended.nodes.find(({ id }) => id === 'm0')?.pod;
    assert.ok(shared);
    const both = ended.nodes.map((node) => (node.id === 'm1' ? { ...node, pod: shared } : node));
    assert.throws(
      () => planPromote({ ...ended, nodes: both }, { how: 'takeover' }),
      /Nothing proves that .*stopped/,
    );
    const elsewhere = ended.nodes.map((node) => (node.id === 'm1' ? { ...node, port: 7001 } : node));
    assert.throws(
      () => planPromote({ ...ended, nodes: elsewhere }, { how: 'takeover' }),
      /Nothing proves that .*stopped/,
    );
  });

  test('a person can say that masters are dead, unless something contradicts it', () => {
    const snapshot = { ...without([0, 1], 'silent'), ref: { addresses: ['10.0.0.1:6379'] } };
    assert.throws(
      () => planPromote(snapshot, { how: 'takeover' }),
      /2 of 3 voting masters do not answer \(cart-0, cart-1\); cart-3 has the data of cart-0, cart-4 has the data of cart-1\..*"dead": \["m0", "m1"\].*Nothing was changed/,
    );
    const dead = ['m0', 'm1'];
    const unready = snapshot.nodes.map((node) =>
      node.pod === undefined || node.view !== undefined
        ? node
        : { ...node, pod: { ...node.pod, ready: false } },
    );
    assert.throws(
      () => planPromote({ ...snapshot, nodes: unready }, { how: 'takeover', dead: ['m0'] }),
      /that cart-1 stopped/,
    );
    const plan = planPromote({ ...snapshot, nodes: unready }, { how: 'takeover', dead, node: 'r1' });
    assert.deepEqual(
      plan.steps.map((step) => step.kind === 'promote' && [step.node, step.how, step.master, step.dead]),
      [
        ['r1', 'takeover', 'm1', dead],
        ['r0', 'force', 'm0', dead],
      ],
    );
    assert.match(plan.warnings.join(' '), /cart-0 \(m0\) is treated as dead because you confirmed it/);
    assert.match(plan.losses.join(' '), /If cart-0 or cart-1 still runs somewhere/);
    assert.throws(
      () => planPromote(snapshot, { how: 'takeover', dead }),
      /Kubernetes reports that pod cart-0 is running and ready/,
    );
    assert.throws(
      () => planPromote({ ...snapshot, nodes: unready }, { how: 'takeover', dead: [...dead, 'm2'] }),
      /cart-2 answers/,
    );
    const linked = unready.map((node) =>
      node.view === undefined
        ? node
        : {
            ...node,
            view: {
              ...node.view,
              others: node.view.others.map((one) => (one.id === 'm0' ? line('m0') : one)),
            },
          },
    );
    assert.throws(
      () => planPromote({ ...snapshot, nodes: linked }, { how: 'takeover', dead }),
      /cart-2, cart-3, cart-4, cart-5 are connected to cart-0/,
    );
  });

  test('of several replicas the one that has most is chosen, and a takeover waits for the epoch of the one before', () => {
    const gone = without([0, 1], 'gone');
    const newer = gone.nodes.find(({ id }) => id === 'r0');
    assert.ok(newer?.view);
    const better = {
      ...newer,
      id: 'r8',
      view: { ...newer.view, replication: { ...newer.view.replication, offset: 5000 } },
    };
    const plan = planPromote({ ...gone, nodes: [...gone.nodes, better] }, { how: 'takeover' });
    assert.deepEqual(
      plan.steps.map((step) => step.kind === 'promote' && step.node),
      ['r8', 'r1'],
    );
    const ahead = gone.nodes.map((node) => (node.id === 'm2' ? { ...node, configEpoch: 9 } : node));
    assert.throws(
      () => planPromote({ ...gone, nodes: ahead }, { how: 'takeover' }),
      /has not yet received the latest failover \(config epoch 9\)/,
    );
  });
});
