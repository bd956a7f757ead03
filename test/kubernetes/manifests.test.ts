import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startKubernetes, type TestKubernetes } from '../support/startKubernetes.ts';

const manifests = fileURLToPath(new URL('../../manifests', import.meta.url));
const keys = 300;

let kubernetes: TestKubernetes;
let namespace: string;

before(async () => {
  kubernetes = await startKubernetes();
  namespace = await kubernetes.createNamespace('manifests');
  await kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted']);
  const secret = ['create', 'secret', 'generic', 'redis-cluster-auth', '--from-file=password=/dev/stdin'];
  await kubectl(secret, 'correct horse battery staple');
});

after(async () => {
  await kubernetes.deleteNamespace(namespace);
  await kubernetes.stop();
});

/** One kubectl call in the test's namespace; rejects with what it wrote to stderr. */
function kubectl(args: readonly string[], stdin?: string): Promise<string> {
  const target = ['--kubeconfig', kubernetes.kubeconfig, '--context', kubernetes.context, '-n', namespace];
  return new Promise((resolve, reject) => {
    // Node's own stdin is a socket, which cannot be opened as /dev/stdin; a shell's pipe can.
    const piped = ['-c', 'cat | kubectl "$@"', 'sh', ...target, ...args];
    const child = execFile('sh', piped, { maxBuffer: 1 << 26 }, (error, stdout) => {
      if (error instanceof Error) reject(error);
      else resolve(stdout);
    });
    child.stdin?.end(stdin ?? '');
  });
}

async function redisCli(ordinal: number, args: readonly string[], stdin?: string): Promise<string> {
  const exec = ['exec', '-i', `redis-cluster-${String(ordinal)}`, '--', 'redis-cli', ...args];
  return (await kubectl(exec, stdin)).replaceAll('\r', '');
}

async function readyPods(): Promise<number> {
  const conditions =
    'jsonpath={range .items[*]}{.metadata.deletionTimestamp} {.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}';
  const lines = (await kubectl(['get', 'pods', '-o', conditions])).split('\n');
  return lines.filter((line) => line === ' True').length;
}

/** Resolves to the seconds until that many pods are ready and every node serves all slots. */
async function whole(count: number, limit: number): Promise<string> {
  const begun = performance.now();
  for (;;) {
    const seconds = (performance.now() - begun) / 1000;
    try {
      if ((await readyPods()) === count) {
        const infos = await Promise.all(
          Array.from({ length: count }, (_, ordinal) => redisCli(ordinal, ['CLUSTER', 'INFO'])),
        );
        if (
          infos.every(
            (info) =>
              info.includes(`cluster_slots_ok:16384\n`) && info.includes(`known_nodes:${String(count)}\n`),
          )
        ) {
          return seconds.toFixed(1);
        }
      }
    } catch (error) {
      if (seconds > limit) throw error;
    }
    if (seconds > limit) assert.fail(`not whole after ${String(limit)} s:\n${await story()}`);
    await sleep(200);
  }
}

function story(): Promise<string> {
  return kubectl([
    'logs',
    '-l',
    'app.kubernetes.io/instance=redis-cluster',
    '-c',
    'agent',
    '--prefix',
    '--tail=20',
  ]);
}

async function countKeys(): Promise<number> {
  const reads = Array.from({ length: keys }, (_, i) => `GET key:${String(i)}`);
  const lines = (await redisCli(0, ['-c'], `${reads.join('\n')}\n`)).split('\n');
  const values = lines.filter((line) => !line.startsWith('-> Redirected'));
  return values.filter((value, i) => value === String(i)).length;
}

async function remove(): Promise<void> {
  await kubectl(['delete', '-k', manifests, '--timeout=120s']);
  const pods = ['pods', '-l', 'app.kubernetes.io/instance=redis-cluster'];
  await kubectl(['wait', '--for=delete', ...pods, '--timeout=120s']);
}

async function apply(): Promise<void> {
  await kubectl(['apply', '-k', manifests]);
}

void test('kubectl apply -k manifests gives three masters and three replicas', async (t) => {
  await apply();
  t.diagnostic(`formed in ${await whole(6, 120)} s`);
});

void test('the walkthrough of the README works as written', async () => {
  const nodes = (await redisCli(0, ['cluster', 'nodes'])).trim().split('\n');
  assert.equal(nodes.filter((line) => / (myself,)?master /.test(line)).length, 3);
  assert.equal(nodes.filter((line) => / (myself,)?slave /.test(line)).length, 3);
  const check = await redisCli(0, ['--cluster', 'check', 'localhost', '6379']);
  assert.match(check, /\[OK\] All 16384 slots covered\./);
  await assert.rejects(
    kubectl(['exec', 'redis-cluster-0', '--', 'env', '-u', 'REDISCLI_AUTH', 'redis-cli', '-e', 'dbsize']),
    'a client without the password is refused',
  );
});

void test('six more pods join as replicas, two for each master', async (t) => {
  await kubectl(['scale', 'statefulset', 'redis-cluster', '--replicas=12']);
  t.diagnostic(`joined in ${await whole(12, 180)} s`);
  const roles = await Promise.all(Array.from({ length: 12 }, (_, ordinal) => redisCli(ordinal, ['ROLE'])));
  assert.equal(roles.filter((role) => role.startsWith('slave')).length, 9);
  const replicas = await Promise.all([0, 1, 2].map((ordinal) => redisCli(ordinal, ['INFO', 'replication'])));
  assert.deepEqual(
    replicas.map((text) => /connected_slaves:(\d+)/.exec(text)?.[1]),
    ['3', '3', '3'],
  );
});

void test('all pods deleted by force at once: whole again with every key', async (t) => {
  const commands = Array.from({ length: keys }, (_, i) => `SET key:${String(i)} ${String(i)}`);
  const written = (await redisCli(0, ['-c'], `${commands.join('\n')}\n`)).split('\n');
  assert.equal(written.filter((line) => line === 'OK').length, keys);
  await sleep(1500);
  await kubectl([
    'delete',
    'pods',
    '-l',
    'app.kubernetes.io/instance=redis-cluster',
    '--force',
    '--grace-period=0',
  ]);
  t.diagnostic(`whole again in ${await whole(12, 180)} s`);
  assert.equal(await countKeys(), keys);
});

void test('deleting leaves the volumes, and applying again brings the cluster back with its keys', async (t) => {
  await remove();
  assert.equal((await kubectl(['get', 'pvc', '-o', 'name'])).trim().split('\n').length, 12);
  await apply();
  await kubectl(['scale', 'statefulset', 'redis-cluster', '--replicas=12']);
  t.diagnostic(`back in ${await whole(12, 180)} s`);
  assert.equal(await countKeys(), keys);
  await remove();
});
