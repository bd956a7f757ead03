import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { check, isSound } from '../../../src/checks/check.ts';
import { Inventory } from '../../../src/inventory/inventory.ts';
import type { RedisReading } from '../../../src/inventory/nodeReader.ts';
import type { PodFacts } from '../../../src/model/snapshot.ts';
import { connectNode, readNodeView } from '../../../src/redis/entry.ts';
import { answeringRequest, redisCliInPod } from '../../../src/ui/redisCliInPod.ts';
import { until } from '../../support/adapterFixture.ts';
import { makeAuthority, type Authority } from '../../support/authority.ts';
import { operationsFixture, type OperationsFixture } from '../../support/operationsFixture.ts';
import { chart, chartWithTls, tutorial, type ForeignShape } from './shapes.ts';

const times = { connectTimeoutMs: 2_500, commandTimeoutMs: 2_500 };

let fixture: OperationsFixture;
let authority: Authority;
let inventory: Inventory;
/** Names that releases have, and that companions have elsewhere. */
let shapes: readonly ForeignShape[];

before(async () => {
  fixture = await operationsFixture('signin', 'none');
  const { access, namespace } = fixture;
  authority = await makeAuthority('foreign');
  const certificates = await authority.issue(['localhost']);
  shapes = [
    chart('backup-cache', 'p4ssword'),
    chartWithTls('session-init', 'p4ssword', certificates),
    tutorial('proxy', 'p4ss word $HOME'),
  ];
  for (const { objects } of shapes) {
    for (const object of objects) {
      await access.create({ ...object, metadata: { ...object.metadata, namespace } });
    }
  }
  await Promise.all(shapes.map(form));
  const dial: RedisReading['connectNode'] = (endpoint, credentials) =>
    connectNode(endpoint, credentials, times);
  inventory = new Inventory({
    redis: () => Promise.resolve({ connectNode: dial, connectPatiently: dial, readNodeView }),
    addressSource: (ref) => ({ ref, name: 'test', sandbox: false, credentials: () => Promise.resolve({}) }),
  });
  const source = { name: access.context, namespaces: [namespace], fingerprint: '' };
  inventory.setContexts([{ ...source, open: () => Promise.resolve(access) }]);
});

after(async () => {
  inventory.dispose();
  await authority.dispose();
  await fixture.close();
});

/** Whatever the phase of the pods is: a container whose image is not there keeps them Pending. */
async function runningPods(name: string): Promise<readonly PodFacts[]> {
  return until(async () => {
    const found = await fixture.access.discover(fixture.namespace);
    const pods = found.find(({ workload }) => workload.name === name)?.pods ?? [];
    return pods.length === 3 && pods.every(({ running, ip }) => running === true && ip !== undefined)
      ? pods
      : undefined;
  }, 60_000);
}

async function form({ name, container, cli }: ForeignShape): Promise<void> {
  const addresses = (await runningPods(name)).map(({ ip = '' }) => `${ip}:6379`);
  const create = `${cli} --cluster create ${addresses.join(' ')} --cluster-yes`;
  await until(async () => {
    const output = await run(name, container, ['sh', '-c', create]);
    return output.includes('All 16384 slots covered') ? output : undefined;
  }, 30_000);
}

/** What a program in the first pod writes until it ends; `type` is called with all that it has written so far. */
async function run(
  name: string,
  container: string,
  command: readonly string[],
  type?: (send: (text: string) => void) => (output: string) => void,
): Promise<string> {
  let output = '';
  const early: string[] = [];
  let send = (text: string): void => void early.push(text);
  const typed = type?.((text) => {
    send(text);
  });
  const session = await fixture.access.exec(fixture.namespace, `${name}-0`, container, command, (data) => {
    output += data;
    typed?.(data);
  });
  // Without a size, redis-cli asks the terminal for the place of its cursor.
  session.resize(120, 40);
  send = (text) => {
    session.write(text);
  };
  for (const text of early) send(text);
  await session.done;
  return output;
}

const cases = [
  ['backup-cache', 'password from Secret backup-cache/redis-password'],
  ['session-init', 'password from Secret session-init/redis-password'],
  ['proxy', 'password from requirepass in ConfigMap proxy/redis.conf'],
] as const;

for (const [name, place] of cases) {
  test(`${name} is found, read, sound, and its terminal signed in`, { timeout: 60_000 }, async () => {
    const { namespace, access } = fixture;
    const snapshot = await inventory.fresh({ context: access.context, namespace, name });
    const views = snapshot.nodes.flatMap(({ view }) => view ?? []);
    assert.deepEqual([snapshot.nodes.length, views.length, snapshot.unread], [3, 3, []]);
    assert.ok(isSound(check(snapshot)), JSON.stringify(check(snapshot)));
    const [node] = snapshot.nodes.filter(({ pod }) => pod?.name === `${name}-0`);
    assert.ok(node?.pod);
    const signIn = await inventory.podSignIn(access.context, node.pod);
    assert.equal(signIn.credentials.foundIn, place);
    const program = redisCliInPod(node.pod.port, signIn, true);
    let shown = '';
    const lines = ['cluster info\r', 'quit\r'];
    const awaited = ['6379> ', 'cluster_size:'];
    await run(name, node.pod.container, program.command, (send) =>
      answeringRequest(
        (data) => {
          shown += data;
          if (!shown.includes(awaited[0] ?? '\0')) return;
          awaited.shift();
          send(lines.shift() ?? '');
        },
        () => {
          send(`${program.password ?? ''}\n`);
        },
      ),
    );
    assert.match(shown, /cluster_size:3/, shown);
    assert.doesNotMatch(shown, /p4ss|NOAUTH|WRONGPASS/);
  });
}
