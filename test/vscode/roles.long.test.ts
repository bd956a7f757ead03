import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { KubernetesAccess } from '../../src/kubernetes/kubernetesAccess.ts';
import { keepOnFailure, launchVSCode, type VSCodeUnderTest } from '../support/launchVSCode.ts';
import { clusterWide, permissionsTable } from '../support/permissionsTable.ts';
import { startRecordingApi, type RecordingApi } from '../support/recordingApi.ts';
import { kubectlIn, type Kubectl } from '../support/scenarios/kubectl.ts';
import { startKubernetes, type TestKubernetes } from '../support/startKubernetes.ts';
import { accessTo, eventually } from '../support/vscode/kubernetesAccess.ts';
import type { NodeResult, Result, SnapshotResult } from '../support/vscode/results.ts';
import { backupIn, endedPods, grantRoles, type Person } from '../support/vscode/roles.ts';
import { tutorial } from '../kubernetes/foreign/projects/plain.ts';

const extensionPath = fileURLToPath(new URL('../..', import.meta.url));
const table = permissionsTable();
const notNamespaced = clusterWide();

interface Case {
  readonly command: string;
  /** The rows of the README's table that it takes beside those of seeing clusters and of any change. */
  readonly rows: readonly string[];
  readonly answers: (nodes: readonly NodeResult[], person: Person) => object;
  /** Makes what the command has to repair. */
  readonly prepare?: (person: Person) => Promise<void>;
  /** What is true of the cluster once it was done. */
  readonly then?: () => Promise<void>;
}

/** What changes nothing in Kubernetes or asks the servers only, and what runs the steps of other commands. */
const notRun = [
  ...['addByAddress', 'cancelOperation', 'copy', 'dismiss', 'goToKey', 'goToNode', 'groupBy', 'openSettings'],
  ...[
    'reachNodes',
    'removeAddress',
    'reshardSandbox',
    'showInStatusBar',
    'showUnfinished',
    'signIn',
    'signOut',
  ],
  ...['startSandbox', 'stopSandbox', 'copyPlan', 'dryRunPlan', 'runPlan', 'repair', 'resume'],
];

describe('every command under each Role', { timeout: 30 * 60_000 }, () => {
  let kubernetes: TestKubernetes;
  let access: KubernetesAccess;
  let kubectl: Kubectl;
  let api: RecordingApi;
  let vscode: VSCodeUnderTest;
  let namespace: string;
  let folder: string;
  let tokens: Readonly<Record<Person, string>>;
  before(async () => {
    kubernetes = await startKubernetes({ log: console.log });
    access = accessTo(kubernetes);
    namespace = await kubernetes.createNamespace('roles');
    kubectl = kubectlIn(kubernetes, namespace);
    folder = await mkdtemp(join(tmpdir(), 'roles-'));
    api = await startRecordingApi(kubernetes.kubeconfig);
    const file = join(folder, 'config');
    tokens = await grantRoles({ access, namespace, kubectl }, api.url, file);
    const namespaces = { viewer: [namespace], operator: [namespace] };
    const settings = { 'redisCluster.kubeconfigs': [file], 'redisCluster.namespaces': namespaces };
    vscode = await launchVSCode({ extensionPath, settings, log: console.log });
  });
  after(async () => {
    await vscode.close();
    api.close();
    access.close();
    await kubernetes.deleteNamespace(namespace);
    await kubernetes.stop();
    await rm(folder, { recursive: true });
  });
  keepOnFailure(() => vscode);

  const shop = (context: Person) => ({ context, namespace, name: 'shop' });
  const run = <R extends Result>(command: string, answers: object): Promise<R> =>
    vscode.command<R>(`redisCluster.${command}`, { ...answers, confirmed: true });
  const nodesSeen = async (person: Person): Promise<readonly NodeResult[]> =>
    (await run<SnapshotResult>('snapshot', { cluster: shop(person) })).cluster.nodes;
  /** As the administrator in a pod of the cluster. */
  const cli = (pod: string, words: string): Promise<string> =>
    kubectl(['exec', pod, '-c', 'redis', '--', 'sh', '-c', `redis-cli ${words}`]);
  const ids = (nodes: readonly NodeResult[], role: string): readonly string[] =>
    nodes.filter((node) => node.role === role).map(({ id }) => id);
  const openSlot = async (person: Person): Promise<void> => {
    const nodes = await nodesSeen(person);
    const [source, target] = nodes.filter(({ role }) => role === 'master');
    const slot = source?.slots.split(/[-,]/)[0] ?? '';
    const words = `cluster setslot ${slot} migrating ${target?.id ?? ''}`;
    assert.match(await cli(source?.pod ?? '', words), /^OK/);
  };
  const terminatedPod = async (person: Person): Promise<void> => {
    const name = `ended-${person}`;
    await endedPods(access, namespace, name);
    await kubectl(['wait', `pod/${name}-0`, '--for=jsonpath={.status.phase}=Succeeded', '--timeout=60s']);
    await eventually('it is found', 20, async () => {
      const { message } = await run('snapshot', { cluster: { ...shop(person), name } });
      return !message.includes('There is no');
    });
  };
  const aKey = async (): Promise<void> => {
    assert.match(await cli('shop-0', '-c set key value'), /^OK/m);
  };
  const unservedSlot = async (): Promise<void> => {
    for (const { pod = '' } of await nodesSeen('operator')) await cli(pod, 'cluster delslots 0');
  };
  const unknownNode = async (person: Person): Promise<void> => {
    const name = `passing-${person}`;
    const image = kubernetes.images.redis7;
    await kubectl([
      'run',
      name,
      `--image=${image}`,
      '--',
      'redis-server',
      '--cluster-enabled',
      'yes',
      '--protected-mode',
      'no',
    ]);
    await kubectl(['wait', '--for=condition=Ready', `pod/${name}`, '--timeout=60s']);
    const address = await kubectl(['get', 'pod', name, '-o', 'jsonpath={.status.podIP}']);
    await cli('shop-0', `cluster meet ${address} 6379`);
    await eventually('all know it', 30, async () => (await cli('shop-5', 'cluster nodes')).includes(address));
    await kubectl(['delete', 'pod', name, '--grace-period=1']);
    await eventually('all declare it failed', 60, async () =>
      (await cli('shop-5', 'cluster nodes')).includes(' master,fail '),
    );
  };
  const emptyServers = async (person: Person): Promise<void> => {
    await tutorial(`bare-${person}`, 'p4ssword').make({
      namespace,
      image: (key) => kubernetes.images[key],
      create: (object) => access.create({ ...object, metadata: { ...object.metadata, namespace } }),
      custom: () => Promise.reject(new Error('it has no operator')),
    });
    await kubectl(['rollout', 'status', `statefulset/bare-${person}`, '--timeout=90s']);
  };

  /** Pods that came later have the user too, by which the operator's window has been signed in since it was created. */
  const haveUser = async (): Promise<void> => {
    for (const { pod = '' } of await nodesSeen('operator'))
      assert.match(await cli(pod, 'acl list'), /^user ops on .*\+cluster\|setslot/m, pod);
  };
  /** Whatever the user was refused stands in the servers' log. */
  const refusedNothing = async (): Promise<void> => {
    for (const { pod = '' } of await nodesSeen('operator'))
      assert.doesNotMatch(await cli(pod, 'acl log'), /ops/, pod);
  };

  const cases: readonly Case[] = [
    { command: 'snapshot', rows: [], answers: () => ({}) },
    { command: 'check', rows: [], answers: () => ({}) },
    { command: 'refresh', rows: [], answers: () => ({}) },
    { command: 'openSlotMap', rows: [], answers: () => ({}) },
    { command: 'exportManifests', rows: [], answers: () => ({ namespace, name: 'exported' }) },
    { command: 'showLogs', rows: ['open redis-cli, show logs'], answers: () => ({ pod: 'shop-0' }) },
    {
      ...{ command: 'openRedisCli', rows: ['open redis-cli, show logs'] },
      answers: () => ({ pod: 'shop-0' }),
      then: () =>
        eventually('the terminal is connected', 20, () =>
          Promise.resolve(used('operator', false).includes('get pods/exec')),
        ),
    },
    {
      ...{ command: 'createOperatorUser', rows: ['rotate the password, create an operator user'] },
      answers: () => ({ user: 'ops' }),
    },
    { command: 'setConfig', rows: ['upgrade, restart'], answers: () => ({ name: 'hz', value: '20' }) },
    {
      ...{ command: 'reshard', rows: [] },
      answers: (nodes) => ({ to: ids(nodes, 'master')[0], from: [ids(nodes, 'master')[1]], slots: 500 }),
    },
    { command: 'rebalance', rows: [], answers: () => ({}) },
    { command: 'promote', rows: [], answers: (nodes) => ({ node: ids(nodes, 'replica')[0] }) },
    { command: 'replicate', rows: [], answers: (nodes) => swapped(nodes) },
    {
      ...{ command: 'moveMastersOff', rows: [] },
      answers: (nodes) => ({ worker: nodes.find(({ role }) => role === 'master')?.worker }),
    },
    { command: 'heal', rows: [], answers: () => ({}), prepare: openSlot },
    { command: 'fix', rows: [], answers: () => ({}), prepare: unservedSlot },
    { command: 'forget', rows: [], answers: () => ({}), prepare: unknownNode },
    { command: 'saveKeys', rows: [], answers: () => ({}) },
    { command: 'backup', rows: [], answers: () => ({ to: folder }) },
    { command: 'flush', rows: [], answers: () => ({}), prepare: aKey },
    { command: 'restore', rows: [], answers: () => ({ from: backupIn(folder), mode: 'merge' }) },
    {
      ...{ command: 'form', rows: [], prepare: emptyServers },
      answers: (_, person) => ({ cluster: { ...shop(person), name: `bare-${person}` }, masters: 3 }),
    },
    {
      ...{ command: 'replacePod', rows: ['replace terminated pods'] },
      answers: (_, person) => ({
        cluster: { ...shop(person), name: `ended-${person}` },
        pod: `ended-${person}-0`,
      }),
      prepare: terminatedPod,
    },
    {
      ...{ command: 'scale', rows: ['scale, add and remove shards'], then: haveUser },
      answers: () => ({ pods: 8 }),
    },
    { command: 'addShard', rows: ['scale, add and remove shards'], answers: () => ({ replicas: 0 }) },
    {
      ...{ command: 'removeShard', rows: ['scale, add and remove shards'] },
      answers: (nodes) => ({ node: ids(nodes, 'master')[0], volumes: true }),
      then: refusedNothing,
    },
    {
      ...{ command: 'upgrade', rows: ['upgrade, restart'] },
      answers: () => ({ config: { 'maxmemory-policy': 'allkeys-lru' } }),
    },
    { command: 'rollingRestart', rows: ['upgrade, restart'], answers: () => ({}), then: haveUser },
    {
      ...{ command: 'rotatePassword', rows: ['rotate the password, create an operator user'] },
      answers: () => ({}),
    },
    { command: 'delete', rows: ['delete'], answers: () => ({ volumes: true }) },
  ];
  /** What a person may use a command for: what the table says of it, of seeing clusters and of any change. */
  const tableOf = (rows: readonly string[]): ReadonlySet<string> => {
    const named = ['see clusters', ...rows, 'any change'].flatMap((row) => {
      const rights = table.get(row);
      assert.ok(rights, `the README's table has no row "${row}"`);
      return rights;
    });
    return new Set(named.map(([verb, resource]) => `${verb} ${resource}`));
  };
  /** What the command did in Kubernetes beside what seeing clusters takes. */
  const used = (person: Person, isRefused: boolean): readonly string[] => [
    ...new Set(
      api
        .seen(tokens[person])
        .filter((seen) => seen.isRefused === isRefused && !notNamespaced.includes(seen.right[1]))
        .map(({ right }) => right.join(' ')),
    ),
  ];
  const allowed = async (person: Person, { command, rows, answers, prepare }: Case): Promise<Result> => {
    await prepare?.(person);
    const nodes = command === 'deploy' ? [] : await nodesSeen(person);
    api.forget();
    const result = await run(command, { cluster: shop(person), ...answers(nodes, person) });
    const rights = tableOf(rows);
    const beyond = used(person, false).filter((right) => !rights.has(right));
    assert.deepEqual(beyond, [], `${command} uses what its row in the README does not name`);
    return result;
  };

  test('each command of the extension is run here, or is none that Kubernetes sees', () => {
    const file = readFileSync(join(extensionPath, 'package.json'), 'utf8');
    const { contributes } = JSON.parse(file) as {
      readonly contributes: { readonly commands: readonly { readonly command: string }[] };
    };
    const all = contributes.commands.map(({ command }) => command.replace('redisCluster.', ''));
    assert.deepEqual([...notRun, 'deploy', ...cases.map(({ command }) => command)].sort(), all.sort());
  });

  const deploy: Case = { command: 'deploy', rows: ['deploy'], answers: (_, person) => shop(person) };

  const byViewer = (one: Case): void => {
    test(`${one.command} by who may view`, async (context) => {
      const result = await allowed('viewer', one);
      context.diagnostic(`${result.outcome}: ${result.message}`);
      const own = one.rows.flatMap((row) => table.get(row) ?? []);
      if (result.outcome === 'done') return;
      assert.ok(
        own.some(([verb, resource]) => result.message.includes(`${verb} ${resource}`)),
        result.message,
      );
    });
  };
  const byOperator = (one: Case): void => {
    test(`${one.command} by who may operate`, async (context) => {
      const result = await allowed('operator', one);
      context.diagnostic(`${result.outcome}: ${result.message}`);
      assert.equal(result.outcome, 'done', result.message);
      assert.deepEqual(used('operator', true), []);
      await one.then?.();
    });
  };
  byViewer(deploy);
  byOperator(deploy);
  /** What refused commands could have changed: who made the pods, and what these start with. */
  const madeOf = async (): Promise<string> => {
    const set = await kubectl([
      'get',
      'statefulset',
      'shop',
      '-o',
      'jsonpath={.metadata.generation} {.spec}',
    ]);
    const fields = '{range .items[*]}{.metadata.name} {.metadata.resourceVersion}\n{end}';
    const rest = await kubectl(['get', 'secrets,configmaps,pvc', '-o', `jsonpath=${fields}`]);
    return [set, ...rest.split('\n').filter((line) => line.includes('shop-'))].join('\n');
  };
  let made = '';
  test('nothing is changed so far', async () => {
    made = await madeOf();
  });
  for (const one of cases) byViewer(one);
  test('what was refused to who may view has changed nothing in Kubernetes', async () => {
    assert.equal(await madeOf(), made);
  });
  for (const one of cases) byOperator(one);
});

/** A replica and the master that it does not copy yet. */
function swapped(nodes: readonly NodeResult[]): object {
  const replica = nodes.find(({ role }) => role === 'replica');
  const master = nodes.find(({ role, id }) => role === 'master' && id !== replica?.masterId);
  return { node: replica?.id, master: master?.id };
}
