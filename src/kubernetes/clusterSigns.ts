import type { Container } from './apiObjects.ts';
import { environmentOf } from './environment.ts';
import type { Candidate } from './kubernetesAccess.ts';
import {
  imageName,
  isSurelyServer,
  programText,
  startsSentinel,
  type RedisContainer,
} from './redisContainer.ts';

interface Described {
  readonly redis: RedisContainer;
  readonly containers: readonly Container[];
  readonly labels: Readonly<Record<string, string>>;
  readonly ownerKind?: string | undefined;
}

const clusterName = /(redis|valkey|keydb)-?cluster/i;

/**
 * Whether the servers of a workload are meant to be a cluster: what is shown of one that cannot be read depends on it. The
 * bus's port, an argument, a variable, a label and an owner are such signs, and a Sentinel beside the server the opposite.
 */
export function clusterSignOf(described: Described): Candidate['clusterSign'] {
  if (isForCluster(described)) return 'clear';
  return isForSentinel(described) || !isSurelyServer(described.redis.container) ? undefined : 'possible';
}

function isForCluster({ redis: { container, port }, labels, ownerKind }: Described): boolean {
  const env = environmentOf(container);
  const ports = container.ports ?? [];
  const named = [imageName(container.image), ownerKind ?? '', ...Object.entries(labels).flat()];
  return (
    ports.some((one) => one.containerPort === port + 10_000 || /(^|-)(bus|gossip)$/i.test(one.name ?? '')) ||
    /cluster-(enabled[= ]["']?yes|announce|config-file|node-timeout)/.test(programText(container)) ||
    named.some((text) => clusterName.test(text) || /^(redis|valkey|keydb)\.?[a-z.]*\/cluster/i.test(text)) ||
    env.names.some((name) => isClusterVariable(name, env.text(name)))
  );
}

function isClusterVariable(name: string, text: string | undefined): boolean {
  if (/^(REDIS|VALKEY|KEYDB)_(NODES|CLUSTER_(CREATOR|REPLICAS|ANNOUNCE\w*|DYNAMIC_IPS))$/.test(name))
    return true;
  if (/CLUSTER_(ENABLED|MODE)$/.test(name)) return /^(yes|true|on|1)$/i.test(text ?? '');
  return /^((SERVER|SETUP|REDIS|VALKEY)_MODE)$/.test(name) && text?.toLowerCase() === 'cluster';
}

function isForSentinel({ redis: { container }, containers }: Described): boolean {
  const isSentinel = (one: Container): boolean =>
    /sentinel/i.test(imageName(one.image)) || startsSentinel(programText(one));
  const names = (container.env ?? []).map(({ name }) => name);
  return (
    containers.some(isSentinel) ||
    names.some((name) =>
      /^(REDIS|VALKEY)_(REPLICATION_MODE|SENTINEL_\w+|MASTER_HOST|PRIMARY_HOST)$/.test(name),
    )
  );
}
