import type { OwnerReference } from './apiObjects.ts';
import type { Kinship } from './kubernetesAccess.ts';

type Labels = Readonly<Record<string, string>>;

/** A label by which an operator for these servers names the cluster: `valkey.io/cluster`, `redis.kun/name` … */
const clusterLabel = /^(?:[a-z0-9-]+\.)*(?:redis|valkey|keydb)[a-z0-9.-]*\/(?:cluster|cluster-name|name)$/;

/**
 * What a workload has in common with others of its cluster, as its own object says it: who owns it, how an operator's
 * label calls the cluster, which part of which release it is.
 */
export function kinshipOf(labels: Labels, owners: readonly OwnerReference[] = []): Kinship {
  const instance = labels['app.kubernetes.io/instance'];
  const owner = owners.find(({ controller }) => controller === true);
  const label = Object.entries(labels).find(([key, value]) => clusterLabel.test(key) && value !== '');
  const sharding = labels['apps.kubeblocks.io/sharding-name'];
  const deployment = deploymentOf(labels, owner);
  const name = label?.[1] ?? (sharding === undefined ? (deployment ?? owner?.name) : instance);
  const clusters = [
    owner && `${owner.kind}/${owner.name}`,
    label?.join('='),
    sharding && `sharding ${instance ?? ''}/${sharding}`,
    deployment && `Deployment/${deployment}`,
  ].filter((one) => one !== undefined);
  return {
    clusters,
    ...(name === undefined ? {} : { name }),
    ...releaseOf(labels),
  };
}

function releaseOf(labels: Labels): Pick<Kinship, 'release' | 'instance'> {
  const { 'app.kubernetes.io/instance': instance, 'app.kubernetes.io/component': component } = labels;
  if (instance === undefined || instance === '') return {};
  return component === undefined ? { instance } : { instance, release: `${instance}/${component}` };
}

/** A ReplicaSet is one of several of its Deployment while that renews its pods. */
function deploymentOf(labels: Labels, owner: OwnerReference | undefined): string | undefined {
  const hash = labels['pod-template-hash'];
  if (owner?.kind !== 'ReplicaSet' || hash === undefined) return undefined;
  return owner.name.endsWith(`-${hash}`) ? owner.name.slice(0, -hash.length - 1) : undefined;
}
