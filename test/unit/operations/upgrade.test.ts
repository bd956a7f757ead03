import assert from 'node:assert/strict';
import { test } from 'node:test';

import { UserError } from '../../../src/model/errors.ts';
import type { ClusterSnapshot, RedisNode } from '../../../src/model/snapshot.ts';
import type { Plan } from '../../../src/operations/plans/plan.ts';
import { planUpgrade } from '../../../src/operations/upgrade.ts';
import { templatePatch } from '../../../src/operations/rollout/difference.ts';
import type { SetFacts, SetPod, UpgradeFacts } from '../../../src/operations/statefulSets/facts.ts';
import { candidateOf } from '../../../src/operations/rollout/handOver.ts';
import { illness, type Member } from '../../../src/operations/rollout/members.ts';
import { ids, line, pod, view } from '../sample.ts';
import { nothingElse } from '../../support/nothingElse.ts';

const redisConf = '# why\nappendonly yes\nsave ""\nrepl-backlog-size 16mb\n';

function snapshot(version = '7.0.15', bundled = true): ClusterSnapshot {
  const nodes = ids.map((id, ordinal): RedisNode => {
    const own = view(id, { version, usedMemoryBytes: 100_000_000 });
    const facts = pod(`shop-${ordinal}`, own.self.host, { namespace: 'team', workload: 'shop' });
    return { ...own.self, role: own.replication.role, health: 'ok', view: own, pod: facts };
  });
  const workload = { kind: 'StatefulSet' as const, name: 'shop', replicas: 6, readyReplicas: 6, bundled };
  const ref = { context: 'dev', namespace: 'team', name: 'shop' };
  return {
    ref,
    name: 'shop',
    takenAt: 0,
    nodes,
    ...nothingElse,
    workloads: [workload],
  };
}

function setPod(ordinal: number, revision = 'a'): SetPod {
  return {
    ordinal,
    name: `shop-${ordinal}`,
    uid: `u${ordinal}`,
    revision,
    ready: true,
    deleting: false,
    starting: false,
  };
}

function facts(set: Partial<SetFacts> = {}, parts: Partial<UpgradeFacts> = {}): UpgradeFacts {
  return {
    set: {
      name: 'shop',
      resourceVersion: '1',
      replicas: 6,
      strategy: 'RollingUpdate',
      partition: 0,
      revision: 'a',
      revisionBefore: 'a',
      containers: [
        { name: 'redis', image: 'redis:7.0.15', memory: '256Mi' },
        { name: 'agent', image: 'redis:7.0.15', memory: '64Mi' },
        { name: 'exporter', image: 'exporter:1', memory: undefined },
      ],
      claimTemplates: [{ name: 'data', storage: '1Gi', storageClass: undefined }],
      podAnnotations: {},
      configMap: 'shop-config',
      owner: undefined,
      ...set,
    },
    pods: [0, 1, 2, 3, 4, 5].map((ordinal) => setPod(ordinal)),
    redisConf,
    claims: [{ name: 'data-shop-0', requested: '1Gi', capacity: '1Gi', storageClass: 'standard' }],
    growing: [],
    ...parts,
  };
}

function restarts({ steps }: Plan): readonly string[] {
  return steps.flatMap((step) => (step.kind === 'restartPod' ? [step.pod] : []));
}

test('an image goes into the server and its agent, with the pods from the highest down', () => {
  const plan = planUpgrade(snapshot(), facts(), { image: 'redis:8.0.2' });
  const change = plan.steps.find((step) => step.kind === 'changeTemplate');
  assert.ok(change);
  assert.deepEqual(templatePatch(change), {
    spec: {
      containers: [
        { name: 'redis', image: 'redis:8.0.2' },
        { name: 'agent', image: 'redis:8.0.2' },
      ],
    },
  });
  assert.deepEqual(restarts(plan), ['shop-5', 'shop-4', 'shop-3', 'shop-2', 'shop-1', 'shop-0']);
  assert.deepEqual(
    plan.steps.map(({ text }) => text.slice(0, 44)),
    [
      'Change the pods of StatefulSet shop (redis: ',
      'Restart shop-5, wait until it is in sync',
      'Restart shop-4, wait until it is in sync',
      'Restart shop-3, wait until it is in sync',
      'Fail over shop-2 to a replica, restart it, w',
      'Fail over shop-1 to a replica, restart it, w',
      'Fail over shop-0 to a replica, restart it, w',
      'Set the partition of StatefulSet shop back t',
    ],
  );
  assert.match(
    plan.warnings.join('\n'),
    /no way back: what Redis 8\.0\.2 writes cannot be read by Redis 7\.0\.15/,
  );
  assert.deepEqual(plan.losses, []);
});

test('the partition that keeps all pods while volumes grow is opened again', () => {
  const { steps } = planUpgrade(snapshot(), facts({}, { growing: ['standard'] }), { storage: '2Gi' });
  assert.deepEqual(
    steps.map(({ kind }) => kind),
    ['growVolumes', 'openPartition'],
  );
});

test('an interrupted upgrade goes on with the pods that are left', () => {
  const containers = [{ name: 'redis', image: 'redis:8.0.2', memory: '256Mi' }];
  const pods = [0, 1, 2, 3, 4, 5].map((ordinal) => setPod(ordinal, ordinal > 3 ? 'b' : 'a'));
  const begun = facts({ containers, partition: 4, revision: 'b' }, { pods });
  const plan = planUpgrade(snapshot(), begun, { image: 'redis:8.0.2' });
  assert.ok(!plan.steps.some(({ kind }) => kind === 'changeTemplate'));
  assert.deepEqual(restarts(plan), ['shop-3', 'shop-2', 'shop-1', 'shop-0']);
  assert.match(plan.warnings.join('\n'), /not finished \(partition 4\)/);
});

test('what cannot be done safely is refused with the reason', () => {
  const growing = facts({}, { growing: ['standard'] });
  const sick = snapshot();
  const nodes = sick.nodes.map((node) => (node.id === 'm0' ? { ...node, health: 'failed' as const } : node));
  const cases: [ClusterSnapshot, UpgradeFacts, Parameters<typeof planUpgrade>[2], RegExp][] = [
    [snapshot(), facts(), {}, /Name what to change/],
    [snapshot(), facts(), { image: 'redis:7.0.15' }, /already has all of these values/],
    [snapshot(), facts(), { image: 'no image' }, /not the name of an image/],
    [snapshot('8.0.2'), facts(), { image: 'valkey/valkey:9.1.2' }, /Redis up to 7\.2\..*new cluster/],
    [snapshot('8.0.2'), facts(), { image: 'redis:7.0.15', memory: '1Gi' }, /cannot read the files/],
    [
      snapshot(),
      facts({ owner: { name: 'the Helm release "x"', tool: 'Helm' } }),
      { memory: '1Gi' },
      /Helm release "x"/,
    ],
    [snapshot(), facts({ strategy: 'OnDelete' }), { memory: '1Gi' }, /update strategy OnDelete/],
    [snapshot('7.0.15', false), facts(), { config: { timeout: '5' } }, /this product’s manifests/],
    [snapshot('7.0.15', false), facts({ claimTemplates: [] }), { memory: '1Gi' }, /have no volumes/],
    [snapshot(), facts(), { memory: '100Mi' }, /shop-0 uses 95\.4 MiB/],
    [snapshot(), facts(), { storage: '2Gi' }, /StorageClass "standard" does not allow it/],
    [snapshot(), growing, { storage: '512Mi' }, /cannot shrink/],
    [snapshot(), facts(), { config: { maxmemory: '1gb' } }, /follows from the memory limit/],
    [snapshot(), facts(), { config: { requirepass: 'x' } }, /come from the Secret/],
    [{ ...sick, nodes }, facts(), { memory: '1Gi' }, /is unhealthy.*shop-0 has failed/],
  ];
  for (const [state, found, request, message] of cases) {
    assert.throws(
      () => planUpgrade(state, found, request),
      (error) => {
        assert.ok(error instanceof UserError, String(error));
        assert.match(error.message, message);
        assert.match(error.message, /Nothing was changed|not the name/);
        return true;
      },
    );
  }
});

test('a setting that servers take while they run restarts none; one for their start restarts all', () => {
  const live = planUpgrade(snapshot(), facts(), { config: { 'repl-backlog-size': '32mb' } });
  assert.deepEqual(restarts(live), []);
  assert.deepEqual(
    live.steps.map(({ kind }) => kind),
    ['setConfig', 'keepSetting'],
  );
  const same = planUpgrade(snapshot(), facts(), { config: { 'repl-backlog-size': '16777216' } });
  assert.deepEqual(
    same.steps.map(({ kind }) => kind),
    ['setConfig'],
  );
  const start = planUpgrade(snapshot(), facts(), { config: { 'io-threads': '4' } });
  assert.equal(restarts(start).length, 6);
  const [keep, change] = start.steps;
  assert.ok(keep?.kind === 'keepSetting' && change?.kind === 'changeTemplate');
  assert.deepEqual([keep.name, keep.value], ['io-threads', '4']);
  assert.match(JSON.stringify(templatePatch(change)), /settings-at-start/);
});

test('a pod that never became ready is tried again before all others, and what is lost is said of each', () => {
  const pods = [0, 1, 2, 3, 4, 5].map((ordinal) => setPod(ordinal, ordinal === 5 ? 'b' : 'a'));
  const tried = pods.map((one) => (one.ordinal === 5 ? { ...one, ready: false } : one));
  const found = snapshot();
  const nodes = found.nodes.filter(({ pod: own }) => own?.name !== 'shop-5');
  const begun = facts({ revision: 'b', revisionBefore: 'a' }, { pods: tried });
  const plan = planUpgrade({ ...found, nodes }, begun, { image: 'redis:8.0.2' });
  assert.deepEqual(
    plan.steps.slice(0, 3).map(({ text }) => text.slice(0, 30)),
    ['Change the pods of StatefulSet', 'Recreate pod shop-5 (uid u5), ', 'Restart shop-5, wait until it '],
  );
  // One whose containers have just been created is waited for.
  const starting = { ...begun, pods: tried.map((one) => ({ ...one, starting: !one.ready })) };
  const waiting = planUpgrade({ ...found, nodes }, starting, { image: 'redis:8.0.2' });
  assert.ok(!waiting.steps.some(({ kind }) => kind === 'recreatePod'));
});

test('a master that nobody can take over from is a loss to be confirmed', () => {
  const alone = snapshot();
  const nodes = alone.nodes.filter(({ id }) => id !== 'r1');
  const { losses } = planUpgrade({ ...alone, nodes }, facts(), { memory: '1Gi' });
  assert.match(losses.join('\n'), /shop-1 has no replica to take over/);
  // As it is while an upgrade that was stopped has one pod left to come back.
  const restarting = alone.nodes.map((node) =>
    node.id === 'r1' ? { ...node, health: 'unreachable' as const } : node,
  );
  assert.deepEqual(planUpgrade({ ...alone, nodes: restarting }, facts(), { memory: '1Gi' }).losses, []);
});

test('an old replica is promoted before a new one, the lowest first; one out of touch never', () => {
  const master = view('m0');
  const replica = (ordinal: number, revision: string, linkUp = true): Member => ({
    pod: setPod(ordinal, revision),
    view: view(`r${ordinal}`, {
      self: line(`r${ordinal}`, { masterId: 'm0' }),
      replication: { role: 'replica', offset: 1000, linkUp, replicas: [] },
    }),
  });
  const candidate = (...members: Member[]): string | undefined => candidateOf(master, members, 'b')?.name;
  assert.equal(candidate(replica(4, 'a'), replica(1, 'a'), replica(5, 'b')), 'shop-1');
  assert.equal(candidate(replica(4, 'b'), replica(5, 'b')), 'shop-4');
  assert.equal(candidate(replica(1, 'a', false), replica(5, 'b')), 'shop-5');
  assert.equal(candidate(replica(1, 'a', false)), undefined);
});

test('a cluster is well when every pod is, and all slots are served', () => {
  const members = ids.map((id, ordinal): Member => ({ pod: setPod(ordinal), view: view(id) }));
  assert.equal(illness(members, 6), undefined);
  assert.match(illness(members, 7) ?? '', /Only 6 of 7 pods/);
  const without = (ordinal: number, member: Partial<Member>): readonly Member[] =>
    members.map((one, index) => (index === ordinal ? { ...one, ...member } : one));
  const silent: Member = { pod: setPod(0), silence: 'connection refused' };
  assert.match(illness([silent, ...members.slice(1)], 6) ?? '', /shop-0 does not answer: connection refused/);
  assert.match(illness([silent, ...members.slice(1)], 6, 'shop-0') ?? '', /5,461 hash slots are not served/);
  const behind = view('r0', {
    replication: { role: 'replica', offset: 0, linkUp: true, replicas: [] },
  });
  const far = view('m0', { replication: { role: 'master', offset: 2_000_000, replicas: [] } });
  const lagging = without(3, { view: behind }).map((one, index) =>
    index === 0 ? { ...one, view: far } : one,
  );
  assert.match(illness(lagging, 6) ?? '', /shop-3 is 1\.9 MiB behind/);
  assert.match(illness(without(5, { pod: { ...setPod(5), ready: false } }), 6) ?? '', /shop-5 is not ready/);
});
