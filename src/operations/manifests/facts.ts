import type { KubernetesAccess, KubernetesObject } from '../../kubernetes/kubernetesAccess.ts';
import { UserError } from '../../model/errors.ts';
import type { DeployAnswers } from './answers.ts';
import { mayConnect } from '../statefulSets/rights.ts';
import { leftClaims, type LeftClaim } from '../statefulSets/claims.ts';
import { generatedSecret } from './render.ts';

/** What was found in the place where a cluster is to be deployed. */
export interface DeployFacts {
  /** `unknown` where the user may not look. */
  readonly namespace: 'there' | 'missing' | 'terminating' | 'unknown';
  /** Objects with the names that are needed, as they are now. */
  readonly existing: readonly KubernetesObject[];
  /** Kinds of objects that this Kubernetes does not have. */
  readonly missingKinds: readonly string[];
  /** Volumes of an earlier cluster of that name. */
  readonly claims: readonly LeftClaim[];
  /** The classes that a volume may have; absent where the user may not look. */
  readonly storageClasses?: readonly { readonly name: string; readonly isDefault: boolean }[];
  /** The keys of the Secrets that matter, by their names; one that is not there is missing here. */
  readonly secrets: ReadonlyMap<string, readonly string[] | 'unknown'>;
  /** Workers that take ordinary pods; absent where the user may not look. */
  readonly workers?: number;
  /** What the user may not do, for example `create statefulsets`. */
  readonly forbidden: readonly string[];
}

/** Asks Kubernetes what decides whether a deployment can begin. Changes nothing. */
export async function readDeployFacts(
  access: KubernetesAccess,
  answers: DeployAnswers,
  objects: readonly KubernetesObject[],
): Promise<DeployFacts> {
  const namespace = await namespaceState(access, answers.namespace);
  if (namespace === 'missing') {
    return { namespace, existing: [], missingKinds: [], claims: [], secrets: new Map(), forbidden: [] };
  }
  const [found, claims, storageClasses, secrets, workers, forbidden] = await Promise.all([
    existingObjects(access, objects),
    unlessForbidden(() => access.list('v1', 'PersistentVolumeClaim', answers.namespace), []),
    readStorageClasses(access),
    readSecretKeys(access, answers),
    countWorkers(access),
    forbiddenActions(access, answers, objects),
  ]);
  return {
    namespace,
    ...found,
    claims: leftClaims(claims, answers.name),
    ...(storageClasses === undefined ? {} : { storageClasses }),
    secrets,
    ...(workers === undefined ? {} : { workers }),
    forbidden,
  };
}

async function unlessForbidden<T>(ask: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof UserError && error.reason === 'forbidden') return otherwise;
    throw error;
  }
}

async function namespaceState(access: KubernetesAccess, name: string): Promise<DeployFacts['namespace']> {
  return await unlessForbidden(async () => {
    const namespace = await access.get('v1', 'Namespace', undefined, name);
    if (namespace === undefined) return 'missing';
    const { phase } = (namespace['status'] ?? {}) as { readonly phase?: string };
    return phase === 'Terminating' ? 'terminating' : 'there';
  }, 'unknown' as const);
}

async function existingObjects(
  access: KubernetesAccess,
  objects: readonly KubernetesObject[],
): Promise<Pick<DeployFacts, 'existing' | 'missingKinds'>> {
  const found = await Promise.all(
    objects.map(async ({ apiVersion, kind, metadata: { name, namespace } }) => {
      try {
        return await unlessForbidden(() => access.get(apiVersion, kind, namespace, name), undefined);
      } catch (error) {
        if (error instanceof UserError && error.reason === 'not-found') return kind;
        throw error;
      }
    }),
  );
  return {
    existing: found.filter((one) => typeof one === 'object'),
    missingKinds: found.filter((one) => typeof one === 'string'),
  };
}

async function readStorageClasses(access: KubernetesAccess): Promise<DeployFacts['storageClasses']> {
  return await unlessForbidden(async () => {
    const classes = await access.list('storage.k8s.io/v1', 'StorageClass', '');
    return classes.map(({ metadata: { name, annotations = {} } }) => ({
      name,
      isDefault:
        annotations['storageclass.kubernetes.io/is-default-class'] === 'true' ||
        annotations['storageclass.beta.kubernetes.io/is-default-class'] === 'true',
    }));
  }, undefined);
}

/** Which keys the Secrets have that a deployment uses; the values are not kept. */
async function readSecretKeys(
  access: KubernetesAccess,
  answers: DeployAnswers,
): Promise<DeployFacts['secrets']> {
  const found = new Map<string, readonly string[] | 'unknown'>();
  const read = async (name: string): Promise<void> => {
    const keys = await unlessForbidden<readonly string[] | 'unknown' | undefined>(async () => {
      const secret = await access.get('v1', 'Secret', answers.namespace, name);
      return secret === undefined ? undefined : Object.keys(secret['data'] ?? {});
    }, 'unknown');
    if (keys !== undefined) found.set(name, keys);
  };
  await Promise.all([...neededSecrets(answers).keys()].map(read));
  return found;
}

/** The Secrets that a deployment uses and the keys they need; a generated password's is made where it is missing. */
export function neededSecrets({
  name,
  auth,
  overlays = [],
}: DeployAnswers): ReadonlyMap<string, readonly string[]> {
  const { secret, key } = typeof auth === 'object' ? auth : generatedSecret(name);
  const needed = new Map<string, readonly string[]>();
  if (auth !== 'none') needed.set(secret, [key]);
  if (overlays.includes('tls')) needed.set(certificateSecret(name), ['ca.crt', 'tls.crt', 'tls.key']);
  return needed;
}

/** The Secret with a cluster's certificates. */
export function certificateSecret(name: string): string {
  return `${name}-tls`;
}

interface WorkerFields {
  readonly unschedulable?: boolean;
  readonly taints?: readonly { readonly effect: string }[];
}

async function countWorkers(access: KubernetesAccess): Promise<number | undefined> {
  return await unlessForbidden(async () => {
    const nodes = await access.list('v1', 'Node', '');
    return nodes.filter(({ spec }) => {
      const { unschedulable = false, taints = [] } = (spec ?? {}) as WorkerFields;
      return !unschedulable && taints.every(({ effect }) => effect === 'PreferNoSchedule');
    }).length;
  }, undefined);
}

async function forbiddenActions(
  access: KubernetesAccess,
  { namespace, auth }: DeployAnswers,
  objects: readonly KubernetesObject[],
): Promise<readonly string[]> {
  const wanted = new Map<string, readonly [verb: string, resource: string, group: string]>();
  const want = (verb: string, resource: string, group: string): void => {
    wanted.set(`${verb} ${resource}`, [verb, resource, group]);
  };
  for (const { apiVersion, kind } of objects) {
    const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
    for (const verb of ['create', 'patch']) want(verb, resourceName(kind), group);
  }
  if (auth === 'generate') want('create', 'secrets', '');
  want('list', 'pods', '');
  const answers = await Promise.all(
    [...wanted].map(async ([text, [verb, resource, group]]) => ({
      text,
      allowed: await access.may(verb, resource, group, namespace),
    })),
  );
  const ways = ['pods/portforward', 'pods/exec'] as const;
  const open = await Promise.all(ways.map((way) => mayConnect(access, way, namespace)));
  const unreached = open.some(Boolean) ? [] : ['get and create pods/portforward'];
  return [...answers.filter(({ allowed }) => !allowed).map(({ text }) => text), ...unreached];
}

/** StatefulSet → statefulsets, NetworkPolicy → networkpolicies: how the API forms a resource's name. */
function resourceName(kind: string): string {
  return kind.toLowerCase().replace(/y$/, 'ie') + 's';
}
