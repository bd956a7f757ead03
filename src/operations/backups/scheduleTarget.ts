import type { KubernetesAccess, KubernetesObject, SecretKey } from '../../kubernetes/kubernetesAccess.ts';
import type {
  PasswordSource,
  SignInSources,
  TextSource,
  TlsSources,
} from '../../kubernetes/signInSources.ts';
import type { KubernetesClusterRef } from '../../model/clusterRef.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import type { Credentials } from '../../redis/nodeConnection.ts';
import { previousPassword } from '../manifests/render.ts';
import { refusal } from '../servers/nodes.ts';
import type { Variable } from './schedule.ts';
import type { BackupTarget } from './scheduleObjects.ts';

type Placed = ClusterSnapshot & { readonly ref: KubernetesClusterRef };

/**
 * Finds out how a pod in the cluster's namespace reaches its servers and signs in to them.
 * Throws a UserError where no Service leads to them, or where the password or a certificate is in no Secret.
 * @param signedIn what the servers were shown when they were read
 */
export async function findTarget(
  access: KubernetesAccess,
  snapshot: Placed,
  signedIn: Credentials,
): Promise<BackupTarget> {
  const { namespace } = snapshot.ref;
  const [node] = snapshot.nodes.filter(({ pod, view }) => pod !== undefined && view !== undefined);
  const facts = node?.pod;
  if (node === undefined || facts === undefined)
    throw refusal('not-found', `No server of ${snapshot.name} was found in a pod.`);
  const [pod, services, candidates] = await Promise.all([
    access.get('v1', 'Pod', namespace, facts.name),
    access.list('v1', 'Service', namespace),
    access.discover(namespace),
  ]);
  const own = candidates.find(({ workload }) => workload.name === facts.workload);
  const labels = pod?.metadata.labels ?? {};
  const pullSecrets = (pod?.['spec'] as { readonly imagePullSecrets?: readonly unknown[] } | undefined)
    ?.imagePullSecrets;
  return {
    image: commonImage(snapshot),
    ...seedOf(snapshot, services, labels, facts.port),
    signIn: await signInOf(access, snapshot, own?.signIn, signedIn),
    ...certificatesOf(snapshot, own?.signIn, signedIn),
    egress: await egressOf(access, snapshot),
    ...(pullSecrets === undefined ? {} : { pullSecrets }),
  };
}

/** The image of most of its servers. */
function commonImage({ nodes }: Pick<ClusterSnapshot, 'nodes'>): string {
  const images = Map.groupBy(
    nodes.flatMap(({ pod }) => pod?.image ?? []),
    (image) => image,
  );
  const [most] = [...images].sort(([, a], [, b]) => b.length - a.length);
  return most?.[0] ?? '';
}

interface ServiceSpec {
  readonly clusterIP?: string;
  readonly publishNotReadyAddresses?: boolean;
  readonly selector?: Readonly<Record<string, string>>;
  readonly ports?: readonly {
    readonly port: number;
    readonly targetPort?: number | string;
    readonly name?: string;
  }[];
}

/** A Service of these pods; rather a headless one, which has the pods' own ports, and of ready pods only. */
function seedOf(
  { name }: ClusterSnapshot,
  services: readonly KubernetesObject[],
  labels: Readonly<Record<string, string>>,
  podPort: number,
): Pick<BackupTarget, 'seed' | 'port'> {
  const leading = services.flatMap(({ metadata, spec }) => {
    const { selector = {}, clusterIP, ports = [], publishNotReadyAddresses } = (spec ?? {}) as ServiceSpec;
    const wanted = Object.entries(selector);
    if (wanted.length === 0 || !wanted.every(([label, value]) => labels[label] === value)) return [];
    const isHeadless = clusterIP === 'None';
    const own = ports.find(({ port, targetPort }) => (targetPort ?? port) === podPort || port === podPort);
    if (!isHeadless && own === undefined) return [];
    const rank = (isHeadless ? 0 : 2) + (publishNotReadyAddresses === true ? 1 : 0);
    return [{ seed: metadata.name, port: isHeadless ? podPort : (own?.port ?? podPort), rank }];
  });
  const [best] = leading.sort((a, b) => a.rank - b.rank || a.seed.localeCompare(b.seed));
  if (best !== undefined) return { seed: best.seed, port: best.port };
  throw refusal(
    'not-found',
    `No Service leads to the servers of ${name}, so a backup would not find them after their pods are recreated. Create one that selects their pods.`,
  );
}

async function signInOf(
  access: KubernetesAccess,
  { name, ref }: Placed,
  sources: SignInSources | undefined,
  { password, username }: Credentials,
): Promise<readonly Variable[]> {
  if (password === undefined) return [];
  const known = [...(sources?.passwords ?? []), ...(sources?.ifRefused.passwords ?? [])];
  for (const source of known) {
    if (!(await holds(access, ref.namespace, source, password))) continue;
    const from = source.password as SecretKey;
    return [
      { name: 'REDISCLI_AUTH', valueFrom: { secretKeyRef: { name: from.secret, key: from.key } } },
      {
        name: 'PREVIOUS_PASSWORD',
        valueFrom: { secretKeyRef: { name: from.secret, key: previousPassword, optional: true } },
      },
      ...(username === undefined ? [] : [{ name: 'USERNAME', value: username }]),
    ];
  }
  throw refusal(
    'not-found',
    `The password of ${name} is in no Secret that its pods name, and a backup’s pod reads it from one.`,
  );
}

/** Whether a source is a Secret with the very password that the servers took. */
async function holds(
  access: KubernetesAccess,
  namespace: string,
  { password: from }: PasswordSource,
  password: string,
): Promise<boolean> {
  if (!isSecret(from)) return false;
  const text = await access.readSecret(namespace, from);
  // Not without its last line break: a pod's variable has the text as it is.
  return text === password;
}

function isSecret(from: TextSource | undefined): from is SecretKey {
  return from !== undefined && 'secret' in from;
}

const files: readonly (readonly [part: keyof TlsSources, path: string])[] = [
  ['ca', 'ca.crt'],
  ['cert', 'tls.crt'],
  ['key', 'tls.key'],
];

function certificatesOf(
  { name }: ClusterSnapshot,
  sources: SignInSources | undefined,
  { tls: spoken }: Credentials,
): Pick<BackupTarget, 'certificates'> {
  if (spoken === undefined) return {};
  const tls = sources?.tls ?? sources?.ifRefused.tls ?? {};
  if (tls.ca === undefined || !files.every(([part]) => tls[part] === undefined || isMounted(tls[part])))
    throw refusal(
      'not-found',
      `The servers of ${name} speak TLS, and the certificate that signs theirs is in no Secret or ConfigMap that their pods name.`,
    );
  const certificates = files.flatMap(([part, path]): readonly object[] => {
    const from = tls[part];
    if (from === undefined) return [];
    if (isSecret(from)) return [{ secret: { name: from.secret, items: [{ key: from.key, path }] } }];
    return 'configMap' in from
      ? [{ configMap: { name: from.configMap, items: [{ key: from.key, path }] } }]
      : [];
  });
  return { certificates };
}

function isMounted(from: TextSource): boolean {
  return isSecret(from) || 'configMap' in from;
}

interface SetSpec {
  readonly selector?: { readonly matchLabels?: unknown };
}

/** Only the servers' pods; where they announce other addresses than their pods', their ports anywhere. */
async function egressOf(access: KubernetesAccess, { nodes, workloads, ref }: Placed): Promise<unknown> {
  if (nodes.some(({ host, pod }) => pod === undefined || (pod.ip !== undefined && host !== pod.ip))) {
    const ports = [...new Set(nodes.map(({ port }) => port))];
    return { ports: ports.map((port) => ({ port, protocol: 'TCP' })) };
  }
  const selectors = await Promise.all(
    workloads.map(async ({ kind, name }) => {
      if (kind !== 'StatefulSet') return undefined;
      const set = await access.get('apps/v1', 'StatefulSet', ref.namespace, name);
      return (set?.['spec'] as SetSpec | undefined)?.selector?.matchLabels;
    }),
  );
  if (selectors.some((one) => one === undefined)) return { to: [{ podSelector: {} }] };
  const texts = new Set(selectors.map((one) => JSON.stringify(one)));
  return { to: [...texts].map((text) => ({ podSelector: { matchLabels: JSON.parse(text) as unknown } })) };
}
