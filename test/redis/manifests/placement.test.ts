import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const scripts = fileURLToPath(new URL('../../../manifests/scripts', import.meta.url));

interface Line {
  readonly ordinal: number;
  readonly worker: string;
  /** "master" owns slots, "new" is undecided, a number follows the pod of that ordinal. */
  readonly is: 'master' | 'new' | number;
}

/** What the agents' look_around makes of such pods. */
function lines(pods: readonly Line[]): string {
  const masters = pods.filter((pod) => pod.is === 'master');
  return pods
    .map((pod) => {
      const index = masters.indexOf(pod);
      const slots = index < 0 ? '-' : `${index * 1000}-${index * 1000 + 999}`;
      const role = typeof pod.is === 'number' ? 'slave' : 'master';
      const master = typeof pod.is === 'number' ? `id${pod.is}` : '-';
      const known = pod.is === 'new' && masters.length === 0 ? 1 : pods.length;
      const end = `${known} 0 0 0 , ${pod.worker} r:1 ${role === 'slave' ? 'up' : '-'} ,`;
      return `${pod.ordinal} ip${pod.ordinal} id${pod.ordinal} ${role} ${master} ${slots} ${end}`;
    })
    .join('\n');
}

function run(
  part: string,
  call: string,
  pods: readonly Line[],
  env: Readonly<Record<string, string>>,
): string {
  const script = `. ${scripts}/agent-look.sh; . ${scripts}/${part}; ${call}`;
  return execFileSync('sh', ['-c', script], { input: `${lines(pods)}\n`, env: { ...process.env, ...env } })
    .toString()
    .trim();
}

/** The ordinals of the masters that newcomers are to follow, by the newcomers' ordinals. */
function assignments(pods: readonly Line[]): ReadonlyMap<number, number> {
  const given = run('agent-place.sh', 'assignments', pods, {}).split('\n');
  return new Map(
    given.map((line) => {
      const [, id = '', ip = '', master = ''] = line.split(' ');
      assert.equal(ip, master.replace('id', 'ip'));
      return [Number(id.slice(2)), Number(master.slice(2))];
    }),
  );
}

function masterFor(ordinal: number, pods: readonly Line[]): number {
  return assignments(pods).get(ordinal) ?? -1;
}

function withRoles(workers: string, roles: readonly Line['is'][]): readonly Line[] {
  return Array.from(workers, (worker, ordinal) => ({ ordinal, worker, is: roles[ordinal] ?? 'new' }));
}

/** Newcomers decide one after another in the given order, each seeing what the ones before it chose. */
function decide(pods: readonly Line[], order: readonly number[]): readonly Line[] {
  return order.reduce<readonly Line[]>(
    (now, ordinal) =>
      now.map((pod) => (pod.ordinal === ordinal ? { ...pod, is: masterFor(ordinal, now) } : pod)),
    pods,
  );
}

function rehoming(ordinal: number, pods: readonly Line[]): readonly string[] {
  const env = { my_id: `id${ordinal}`, known: String(pods.length) };
  return run('agent-rehome.sh', 'rehoming', pods, env).split(' ');
}

function counts(pods: readonly Line[]): readonly number[] {
  return pods
    .filter((pod) => pod.is === 'master')
    .map((master) => pods.filter((pod) => pod.is === master.ordinal).length);
}

/** Replicas that share the worker with their master. */
function shared(pods: readonly Line[]): number {
  return pods.filter((pod) => pods.some((other) => other.ordinal === pod.is && other.worker === pod.worker))
    .length;
}

test('masters are spread over the workers, then among the lowest ordinals', () => {
  const masters = (workers: string): readonly string[] =>
    run('agent-form.sh', 'formation', withRoles(workers, []), {
      ...{ MASTERS: '3', WANT: String(workers.length), PORT: '1', BUS: '2' },
    })
      .split('\n')
      .filter((line) => line.includes('ADDSLOTSRANGE'))
      .map((line) => line.split(' ')[2] ?? '');
  assert.deepEqual(masters('abcabc'), ['id0', 'id1', 'id2']);
  assert.deepEqual(masters('aabbcc'), ['id0', 'id2', 'id4']);
  assert.deepEqual(masters('aaaaab'), ['id0', 'id1', 'id5']);
  assert.deepEqual(masters('------'), ['id0', 'id1', 'id2']);
});

test('the pod that forms the cluster gives replicas the masters that they would choose themselves', () => {
  for (const [workers, masters] of [
    ['abcabc', [0, 1, 2]],
    ['aaabbb', [0, 1, 3]],
    ['abcabcabc', [0, 1, 2]],
  ] as const) {
    const call = `. ${scripts}/agent-place.sh; formation 5000 | sed -n 's/^pod //p' | assignments`;
    const env = { MASTERS: '3', WANT: String(workers.length), PORT: '1', BUS: '2' };
    const given = run('agent-form.sh', call, withRoles(workers, []), env);
    const roles = Array.from(workers, (_, ordinal) =>
      masters.some((master) => master === ordinal) ? ('master' as const) : ('new' as const),
    );
    assert.equal(given, run('agent-place.sh', 'assignments', withRoles(workers, roles), {}), workers);
  }
});

test('replicas are spread evenly and on another worker than their master wherever that can be', () => {
  const cases: readonly (readonly [workers: string, masters: readonly number[], shared: number])[] = [
    ['abcabc', [0, 1, 2], 0],
    ['aabbcc', [0, 2, 4], 0],
    ['aaabbb', [0, 1, 3], 0],
    ['abcbca', [0, 1, 2], 0],
    ['aaabbc', [0, 3, 5], 0],
    ['aaaabb', [0, 4, 5], 1],
    ['abcabcabc', [0, 1, 2], 0],
    ['aaabbbcccaaabbbccc', [0, 1, 3, 4, 6, 7], 0],
  ];
  for (const [workers, masters, expected] of cases) {
    const roles = Array.from(workers, (_, ordinal) => (masters.includes(ordinal) ? 'master' : 'new'));
    const pods = withRoles(workers, roles);
    const newcomers = pods.flatMap((pod) => (pod.is === 'new' ? [pod.ordinal] : []));
    const all = newcomers.map((ordinal) => masterFor(ordinal, pods));
    const together = pods.map((pod) => ({ ...pod, is: all[newcomers.indexOf(pod.ordinal)] ?? pod.is }));
    assert.equal(shared(together), expected, `${workers} at once: ${JSON.stringify(all)}`);
    const spread = counts(together);
    assert.ok(Math.max(...spread) - Math.min(...spread) <= 1, workers);
    // Whoever decides first, and sees or does not see the others: it ends the same.
    for (const order of [newcomers, newcomers.toReversed()])
      assert.deepEqual(decide(pods, order), together, workers);
  }
});

test('without workers pod i follows pod i mod masters', () => {
  const pods = withRoles('---------', ['master', 'master', 'master']);
  assert.deepEqual(
    [...assignments(pods).entries()],
    [
      [3, 0],
      [4, 1],
      [5, 2],
      [6, 0],
      [7, 1],
      [8, 2],
    ],
  );
});

test('who does not answer is counted as gossip says, unless it has failed', () => {
  const all = withRoles('---------', ['master', 'master', 'master', 0, 1, 2]);
  const gossip = all.map(({ ordinal, is }) => {
    const flags = typeof is === 'number' ? `slave id${is}` : `${ordinal === 7 ? 'myself,' : ''}master -`;
    const slots = is === 'master' ? ` ${ordinal * 1000}-${ordinal * 1000 + 999}` : '';
    return `id${ordinal} ip${ordinal}:6379@16379,shop-${ordinal}.shop ${flags} 0 0 ${ordinal} connected${slots}\r`;
  });
  const choose = (silent: readonly number[], view: readonly string[]): string | undefined =>
    run('agent-join.sh', `. ${scripts}/agent-place.sh; everybody | assignments`, [], {
      pods: lines(all.filter(({ ordinal }) => !silent.includes(ordinal))),
      view: view.join('\n'),
    })
      .split('\n')
      .find((line) => line.startsWith('ip7 id7 '))
      ?.slice('ip7 id7 '.length);
  assert.equal(choose([], gossip), 'ip1 id1');
  for (const silent of [[3], [4], [6], [1, 4], [3, 6, 8]]) assert.equal(choose(silent, gossip), 'ip1 id1');
  const failed = gossip.map((line) => line.replace('slave id0', 'slave,fail id0'));
  assert.equal(choose([3], failed), 'ip1 id1');
  assert.equal(
    choose(
      [3, 6, 8],
      failed.filter((line) => !/^id[68] /.test(line)),
    ),
    'ip0 id0',
  );
});

test('a master and its only replica on one worker: two replicas change places, decided by one agent', () => {
  const pods = withRoles('abcacb', ['master', 'master', 'master', 0, 1, 2]);
  assert.deepEqual(rehoming(3, pods), ['exchange', 'ip4', 'id4', 'id0', 'id1', 'ip1']);
  for (const other of [0, 1, 2, 4, 5]) assert.deepEqual(rehoming(other, pods), ['']);
});

test('nothing is changed where all is apart, where it cannot be, or where workers are unknown', () => {
  const roles = ['master', 'master', 'master', 0, 1, 2] as const;
  for (const workers of ['abcbca', 'aaaaaa', '------', 'abbaaa'])
    for (let ordinal = 0; ordinal < 6; ordinal++)
      assert.deepEqual(rehoming(ordinal, withRoles(workers, roles)), [''], workers);
});

test('a shard with more replicas gives one away instead', () => {
  const pods = withRoles('abcacbc', ['master', 'master', 'master', 0, 1, 2, 1]);
  assert.deepEqual(rehoming(3, pods), ['move', 'ip4', 'id4', 'id0', '-', 'ip4']);
});
