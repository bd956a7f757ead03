/**
 * Seconds from nothing to a cluster of three masters and three replicas in which every node says that all slots are
 * covered: this product's deployment, and beside it in the same run the usual way: a StatefulSet whose pods start one
 * after another (OrderedReady, its default), each ready 5 s after its start at the earliest by a probe of Kubernetes'
 * default pace, then `redis-cli --cluster create` in one of them. The same with all pods started at once and asked every
 * two seconds is measured too. The last line is one JSON object.
 */
import { openContext } from '../src/kubernetes/access.ts';
import { loadKubeconfigs } from '../src/kubernetes/kubeconfigs.ts';
import type { KubernetesAccess } from '../src/kubernetes/kubernetesAccess.ts';
import { prepareDelete } from '../src/operations/delete.ts';
import { prepareDeploy } from '../src/operations/deploy.ts';
import { waitForPods } from '../src/operations/statefulSets/waitForPods.ts';
import { clusterPorts, type ClusterPorts } from '../test/support/clusterPorts.ts';
import { manifestFiles } from '../test/support/manifestFiles.ts';
import { createByRedisCli, plainManifests, waitUntilWhole } from '../test/support/plainCluster.ts';
import { startKubernetes } from '../test/support/startKubernetes.ts';
import { median, round } from './support/numbers.ts';
import { conclude } from './support/record.ts';
import { deployOver, runOver } from '../test/support/planPorts.ts';

const storage = '1Gi';
const rounds = Number(process.argv[2] ?? 5);
const pods = 6;

const kubernetes = await startKubernetes({ log: (line) => process.stderr.write(`${line}\n`) });
const context = loadKubeconfigs([kubernetes.kubeconfig]).contexts.find(
  (one) => one.name === kubernetes.context,
);
if (context === undefined) throw new Error('the kubeconfig has no such context');
const access = openContext(context);
const image = kubernetes.images.redisNewest;
const ways = ['ours', 'theirs', 'theirsParallel'] as const;
type Way = (typeof ways)[number];
const seconds: Record<Way, number[]> = { ours: [], theirs: [], theirsParallel: [] };

try {
  for (let turn = 1; turn <= rounds; turn++) {
    for (const way of ways) {
      const taken = await inNamespace((namespace) => measure(way, access, namespace));
      seconds[way].push(taken);
      console.log(`round ${turn}: ${way} ${taken.toFixed(1)} s`);
    }
  }
} finally {
  access.close();
  await kubernetes.stop();
}

const of = (way: Way): number => round(median(seconds[way]));
conclude({
  ours: of('ours'),
  theirs: of('theirs'),
  ratio: round(median(seconds.theirs) / median(seconds.ours)),
  theirsParallel: of('theirsParallel'),
  ratioParallel: round(median(seconds.theirsParallel) / median(seconds.ours)),
  ...{ pods, rounds, image, kubernetes: kubernetes.kind },
});

async function inNamespace<T>(run: (namespace: string) => Promise<T>): Promise<T> {
  const namespace = await kubernetes.createNamespace('bench-deploy');
  try {
    return await run(namespace);
  } finally {
    await kubernetes.deleteNamespace(namespace);
  }
}

async function measure(way: Way, access: KubernetesAccess, namespace: string): Promise<number> {
  const ports = clusterPorts(access, 'bench', AbortSignal.timeout(600_000));
  try {
    const taken =
      way === 'ours' ? await deployOurs(ports, namespace) : await deployByRedisCli(ports, namespace, way);
    const ref = { context: access.context, namespace, name: 'bench' };
    const deleting = await prepareDelete(access, ref, [], { volumes: true });
    await runOver(ports, { ...deleting, ref });
    return taken;
  } finally {
    ports.close();
  }
}

async function deployOurs(ports: ClusterPorts, namespace: string): Promise<number> {
  const answers = {
    namespace,
    name: 'bench',
    masters: 3,
    replicasPerMaster: 1,
    image,
    storage,
    auth: 'none' as const,
  };
  const started = performance.now();
  await deployOver(ports, await prepareDeploy(ports.access, manifestFiles(), answers));
  return (performance.now() - started) / 1000;
}

async function deployByRedisCli(ports: ClusterPorts, namespace: string, way: Way): Promise<number> {
  const style =
    way === 'theirs'
      ? { podManagementPolicy: 'OrderedReady' as const, readiness: { initialDelaySeconds: 5 } }
      : { podManagementPolicy: 'Parallel' as const };
  const awaited = { namespace, statefulSet: 'bench', uid: undefined, pods };
  const started = performance.now();
  const plain = { namespace, name: 'bench', image, storage, replicas: pods, ...style };
  for (const object of plainManifests(plain)) await ports.access.apply(object);
  await waitForPods(ports, awaited, (found) => {
    const ready = found.filter((pod) => pod.ready).length;
    return Promise.resolve({ done: ready === pods, progress: { text: `ready ${ready}/${pods}` } });
  });
  await createByRedisCli(ports, namespace, 'bench');
  await waitUntilWhole(ports, namespace, 'bench', pods);
  return (performance.now() - started) / 1000;
}
