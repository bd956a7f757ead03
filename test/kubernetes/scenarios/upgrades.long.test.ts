import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { openContext } from '../../../src/kubernetes/access.ts';
import { loadKubeconfigs } from '../../../src/kubernetes/kubeconfigs.ts';
import type { KubernetesAccess } from '../../../src/kubernetes/kubernetesAccess.ts';
import { prepareUpgrade } from '../../../src/operations/upgrade.ts';
import { clusterPorts, snapshotOf } from '../../support/clusterPorts.ts';
import { runOver } from '../../support/planPorts.ts';
import { deployManifests, selector, type Deployment } from '../../support/scenarios/deployment.ts';
import { fill } from '../../support/scenarios/keys.ts';
import type { ScenarioId } from '../../support/scenarios/requirements.ts';
import { runScenario } from '../../support/scenarios/runScenario.ts';
import { servers } from '../../support/scenarios/servers.ts';
import { untilWhole } from '../../support/scenarios/whole.ts';
import { startKubernetes, type TestKubernetes } from '../../support/startKubernetes.ts';

const name = 'redis-cluster';
let kubernetes: TestKubernetes;
let access: KubernetesAccess;

before(async () => {
  kubernetes = await startKubernetes();
  const { contexts } = loadKubeconfigs([kubernetes.kubeconfig]);
  const context = contexts.find((one) => one.name === kubernetes.context);
  assert.ok(context);
  access = openContext(context);
});

after(async () => {
  access.close();
  await kubernetes.stop();
});

/** One upgrade after another, and what each took; afterwards every server says the last version. */
async function through(deployment: Deployment, images: readonly string[]): Promise<string> {
  const ports = clusterPorts(access, name, AbortSignal.timeout(1_200_000));
  const ref = { context: access.context, namespace: deployment.namespace, name };
  const took: string[] = [];
  try {
    for (const image of images) {
      const snapshot = await snapshotOf(ports, ref);
      const plan = await prepareUpgrade(access, snapshot, { image });
      const { updatedPods, seconds } = await runOver(ports, { ...plan, ref });
      assert.equal(updatedPods?.length, snapshot.nodes.length);
      took.push(`${image.split('/').at(-1) ?? image} in ${seconds.toFixed(0)} s`);
    }
  } finally {
    ports.close();
  }
  return took.join(', ');
}

/** The same without the editor: Kubernetes renews the pods, and each hands over in its preStop. */
async function byKubectl({ kubectl }: Deployment, images: readonly string[]): Promise<string> {
  for (const image of images) {
    await kubectl(['set', 'image', `statefulset/${name}`, `redis=${image}`, `agent=${image}`]);
    await kubectl(['rollout', 'status', `statefulset/${name}`, '--timeout=600s']);
  }
  const said = await kubectl(['logs', `--selector=${selector}`, '--container=redis', '--tail=-1']);
  assert.doesNotMatch(said, /Slot \d+ is migrated/);
  assert.match(said, /Cluster state changed: ok/, 'the servers log nothing at all');
  return 'each pod hands over by its preStop';
}

interface Way {
  readonly replicas?: number;
  readonly renew?: typeof through;
}

async function scenario(
  t: TestContext,
  id: ScenarioId,
  images: readonly [string, ...string[]],
  { replicas = 1, renew = through }: Way = {},
): Promise<void> {
  const [first, ...later] = images;
  const deployment = await deployManifests(kubernetes, { image: first, replicas });
  const pods = 3 * (1 + replicas);
  try {
    await untilWhole(deployment, pods);
    const dataset = await fill(deployment, 20_000);
    await runScenario(t, id, { deployment, dataset }, async () => {
      const since = performance.now();
      const note = await renew(deployment, later);
      return { seconds: await untilWhole(deployment, pods, { since }), note };
    });
    const last = later.at(-1) ?? first;
    for (const { view, name: pod } of await servers(deployment)) {
      assert.ok(last.endsWith(`:${view.version}`), `${pod} says ${view.product} ${view.version}`);
    }
  } finally {
    await deployment.remove();
  }
}

test('Redis 7.0 to 8.0 to 8.6', async (t) => {
  const { redis7, redis8, redisNewest } = kubernetes.images;
  await scenario(t, 'upgrade-redis', [redis7, redis8, redisNewest]);
});

test('Redis 7.0 to Valkey 8.1 to 9.1', async (t) => {
  const { redis7, valkey8, valkeyNewest } = kubernetes.images;
  await scenario(t, 'upgrade-valkey', [redis7, valkey8, valkeyNewest]);
});

test('Redis 7.0 to Valkey 8.1 by kubectl, whose servers do not log a line for each hash slot', async (t) => {
  const { redis7, valkey8 } = kubernetes.images;
  await scenario(t, 'upgrade-kubectl', [redis7, valkey8], { renew: byKubectl });
});

test('two replicas for each master: no old copy ever has to read what a newer master writes', async (t) => {
  const { redis7, redis8, redisNewest } = kubernetes.images;
  await scenario(t, 'upgrade-redis-2', [redis7, redis8, redisNewest], { replicas: 2 });
});
