import { quantity } from '../../model/quantity.ts';
import type { KubernetesAccess } from '../../kubernetes/kubernetesAccess.ts';
import { isKubernetesRef } from '../../model/clusterRef.ts';
import type { Finding } from '../../model/finding.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import type { ClusterDialer } from '../../redis/nodeConnection.ts';
import { readRedisConf, readSet } from '../statefulSets/facts.ts';
import { isSameValue, isShared, settingsIn } from './settings.ts';
import { withConnection } from '../servers/withConnection.ts';

/** What one server says of its settings. */
export interface SaidSettings {
  readonly node: { readonly id: string; readonly name: string };
  readonly values: ReadonlyMap<string, string>;
}

/** Servers give these back in another form than they are written in: classes not named, letters in another order. */
const saidOtherwise = new Set([
  'client-output-buffer-limit',
  'notify-keyspace-events',
  'oom-score-adj-values',
]);

/** One notice for each setting of redis.conf that servers run without: it would be gone, or come, with a restart. */
export function driftFindings(redisConf: string, said: readonly SaidSettings[]): readonly Finding[] {
  return [...comparable(redisConf)].flatMap(([name, written]) => {
    const other = said.filter(({ values }) => {
      const value = values.get(name);
      return value !== undefined && !isSameValue(written, value);
    });
    if (other.length === 0) return [];
    return [
      {
        rule: 'configuration-drift',
        severity: 'info',
        message: `${name} differs from redis.conf on ${other.length} of ${quantity(said.length, 'node')}.`,
        evidence: [
          `redis.conf: ${name} ${shown(written)}`,
          ...other.map(({ node, values }) => `${node.name}: ${shown(values.get(name) ?? '')}`),
        ],
        remedy: `A restart resets it to the value of the file. To keep a value, set it with “Upgrade Image or Configuration…”, which also writes it to the file.`,
        nodeIds: other.map(({ node }) => node.id),
      },
    ];
  });
}

/** Settings of the file that every server should have as they stand there. Secrets and what each pod sets are none. */
function comparable(redisConf: string): ReadonlyMap<string, string> {
  const settings = [...settingsIn(redisConf)].filter(([name]) => isShared(name) && !saidOtherwise.has(name));
  return new Map(settings.map(([name, values]) => [name, values.filter((one) => one !== '').join(' ')]));
}

function shown(value: string): string {
  return value === '' ? '""' : value;
}

/**
 * Reads redis.conf and asks the servers for these settings, and no others. Nothing is found where the cluster is not
 * of this product's manifests, or the ConfigMap may not be read.
 */
export async function findDrift(
  snapshot: ClusterSnapshot,
  access: KubernetesAccess,
  dialer: ClusterDialer,
): Promise<readonly Finding[]> {
  const { ref, workloads } = snapshot;
  const [workload, ...others] = workloads;
  if (!isKubernetesRef(ref) || workload?.bundled !== true || others.length > 0) return [];
  const redisConf = await confOf(access, ref.namespace, workload.name);
  if (redisConf === undefined) return [];
  const names = [...comparable(redisConf).keys()];
  const answering = snapshot.nodes.filter((node) => node.view !== undefined);
  const asked = await Promise.allSettled(
    answering.map(async (node) => ({
      node: { id: node.id, name: nodeName(node) },
      values: await valuesOf(dialer, node.id, names),
    })),
  );
  return driftFindings(
    redisConf,
    asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
  );
}

async function confOf(
  access: KubernetesAccess,
  namespace: string,
  workload: string,
): Promise<string | undefined> {
  try {
    const { configMap } = await readSet(access, namespace, workload);
    return configMap === undefined ? undefined : await readRedisConf(access, namespace, configMap);
  } catch {
    // Who may not read it still gets the rest of the check.
    return undefined;
  }
}

async function valuesOf(
  dialer: ClusterDialer,
  nodeId: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const replies = await withConnection({ dialer }, nodeId, (connection) =>
    connection.pipeline(names.map((name) => ['CONFIG', 'GET', name])),
  );
  const pairs = replies.filter((reply) => Array.isArray(reply) && reply.length === 2) as [string, string][];
  return new Map(pairs);
}
