import type { KubernetesAccess } from '../../kubernetes/kubernetesAccess.ts';
import { isKubernetesRef } from '../../model/clusterRef.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import type { ClusterDialer } from '../../redis/nodeConnection.ts';
import { answers, nameOf, refusal } from '../servers/nodes.ts';
import { requireRights } from '../statefulSets/rights.ts';
import { settingOf } from './settingOf.ts';
import { readRedisConf, readSet } from '../statefulSets/facts.ts';
import { isShared } from './settings.ts';
import { withConnection } from '../servers/withConnection.ts';

export interface SetConfigRequest {
  readonly name: string;
  readonly value: string;
  /** One node by its id; all where it is not said. */
  readonly node?: string;
}

/** What servers and Kubernetes say before a setting is changed. */
export interface SetConfigFacts {
  /** The present value by node id. */
  readonly values: ReadonlyMap<string, string>;
  /** Where settings are kept for pods that start, on this product's manifests. */
  readonly kept?: { readonly configMap: string; readonly redisConf: string };
}

/** Asks servers for the present value, and where settings are kept. A password is never read. Changes nothing. */
export async function readSetConfigFacts(
  snapshot: ClusterSnapshot,
  { name, node }: SetConfigRequest,
  dialer: ClusterDialer,
  access: KubernetesAccess | undefined,
): Promise<SetConfigFacts> {
  // A pattern would be answered with other settings, passwords among them.
  const isReadable = /^[a-z][a-z0-9_-]*$/.test(name) && (isShared(name) || name === 'maxmemory');
  const nodes = snapshot.nodes.filter((one) => answers(one) && (node === undefined || one.id === node));
  const values = isReadable
    ? await Promise.all(nodes.map(async ({ id }) => [id, await valueOn(id, snapshot, name, dialer)] as const))
    : [];
  const kept = access === undefined || node !== undefined ? undefined : await keptIn(access, snapshot);
  return { values: new Map(values), ...(kept === undefined ? {} : { kept }) };
}

async function valueOn(
  id: string,
  snapshot: ClusterSnapshot,
  name: string,
  dialer: ClusterDialer,
): Promise<string> {
  const value = await withConnection({ dialer }, id, (connection) => settingOf(connection, name));
  if (value !== undefined) return value;
  throw refusal('invalid-input', `${nameOf(snapshot, id)} has no setting "${name}".`);
}

async function keptIn(
  access: KubernetesAccess,
  { ref, workloads }: ClusterSnapshot,
): Promise<SetConfigFacts['kept']> {
  const [workload] = workloads;
  if (!isKubernetesRef(ref) || workload?.bundled !== true) return undefined;
  const { configMap, owner } = await readSet(access, ref.namespace, workload.name);
  if (configMap === undefined || owner !== undefined) return undefined;
  const rights = ['get', 'patch'].map((verb) => [verb, 'configmaps', ''] as const);
  await requireRights(access, ref.namespace, rights);
  const redisConf = await readRedisConf(access, ref.namespace, configMap);
  return redisConf === undefined ? undefined : { configMap, redisConf };
}
