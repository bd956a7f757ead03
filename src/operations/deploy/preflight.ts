import { UserError } from '../../model/errors.ts';
import type { KubernetesAccess, KubernetesObject } from '../../kubernetes/kubernetesAccess.ts';
import type { DeployAnswers } from './answers.ts';
import { instanceLabel, managedBy, managedByLabel } from './render.ts';

/** On a StatefulSet of ours: `deploying` until its cluster was seen whole, then `deployed`. */
export const stateAnnotation = 'kubernetes-redis-cluster/state';

/** What was found in the place where a cluster is to be deployed. */
export interface DeployFacts {
  /** `unknown` where the user may not look. */
  readonly namespace: 'there' | 'missing' | 'terminating' | 'unknown';
  /** Objects with the names that are needed, as they are now. */
  readonly existing: readonly KubernetesObject[];
  /** Volumes of an earlier cluster of that name. */
  readonly claims: readonly string[];
  /** Whether a volume without a class gets one; `unknown` where the user may not look. */
  readonly storageClass: 'default' | 'none' | 'unknown';
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
    return { namespace, existing: [], claims: [], storageClass: 'unknown', forbidden: [] };
  }
  const [existing, claims, storageClass, forbidden] = await Promise.all([
    existingObjects(access, objects),
    leftClaims(access, answers, objects),
    storageClassState(access, objects),
    forbiddenActions(access, answers, objects),
  ]);
  return { namespace, existing, claims, storageClass, forbidden };
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
): Promise<readonly KubernetesObject[]> {
  const found = await Promise.all(
    objects.map(({ apiVersion, kind, metadata: { name, namespace } }) =>
      unlessForbidden(() => access.get(apiVersion, kind, namespace, name), undefined),
    ),
  );
  return found.filter((object) => object !== undefined);
}

interface ClaimTemplates {
  readonly volumeClaimTemplates?: readonly {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly storageClassName?: string };
  }[];
}

function claimTemplates(
  objects: readonly KubernetesObject[],
): NonNullable<ClaimTemplates['volumeClaimTemplates']> {
  return objects.flatMap(
    (object) => (object['spec'] as ClaimTemplates | undefined)?.volumeClaimTemplates ?? [],
  );
}

async function leftClaims(
  access: KubernetesAccess,
  { namespace, name }: DeployAnswers,
  objects: readonly KubernetesObject[],
): Promise<readonly string[]> {
  const prefixes = claimTemplates(objects).map((template) => `${template.metadata.name}-${name}-`);
  const claims = await unlessForbidden(() => access.list('v1', 'PersistentVolumeClaim', namespace), []);
  return claims
    .map((claim) => claim.metadata.name)
    .filter((claim) => prefixes.some((prefix) => isOrdinalOf(claim, prefix)));
}

/** Whether a name is the prefix and a number, as the pods and volumes of a StatefulSet are called. */
export function isOrdinalOf(name: string, prefix: string): boolean {
  return name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length));
}

async function storageClassState(
  access: KubernetesAccess,
  objects: readonly KubernetesObject[],
): Promise<DeployFacts['storageClass']> {
  if (claimTemplates(objects).every((template) => template.spec.storageClassName !== undefined))
    return 'default';
  return await unlessForbidden(async () => {
    const classes = await access.list('storage.k8s.io/v1', 'StorageClass', '');
    const isDefault = classes.some(
      ({ metadata: { annotations = {} } }) =>
        annotations['storageclass.kubernetes.io/is-default-class'] === 'true' ||
        annotations['storageclass.beta.kubernetes.io/is-default-class'] === 'true',
    );
    return isDefault ? 'default' : 'none';
  }, 'unknown' as const);
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
  want('create', 'pods/portforward', '');
  const answers = await Promise.all(
    [...wanted].map(async ([text, [verb, resource, group]]) => ({
      text,
      allowed: await access.may(verb, resource, group, namespace),
    })),
  );
  return answers.filter(({ allowed }) => !allowed).map(({ text }) => text);
}

/** StatefulSet → statefulsets, NetworkPolicy → networkpolicies: how the API forms a resource's name. */
function resourceName(kind: string): string {
  return kind.toLowerCase().replace(/y$/, 'ie') + 's';
}

/**
 * Throws a UserError where the deployment cannot begin; nothing was changed then. True where an unfinished deployment
 * with the same answers is there, which is gone on with.
 */
export function checkFacts(
  context: string,
  answers: DeployAnswers,
  facts: DeployFacts,
  objects: readonly KubernetesObject[],
): boolean {
  const { namespace, name } = answers;
  const where = `context ${context}, namespace ${namespace}`;
  if (facts.namespace === 'missing') {
    throw new UserError(
      'not-found',
      `Namespace "${namespace}" does not exist in context ${context}. Create it with: kubectl --context ${context} create namespace ${namespace}. Nothing was changed.`,
    );
  }
  if (facts.namespace === 'terminating') {
    throw new UserError(
      'unsafe',
      `Namespace "${namespace}" in context ${context} is being deleted. Nothing was changed.`,
    );
  }
  if (facts.forbidden.length > 0) {
    throw new UserError(
      'forbidden',
      `Your sign-in for ${where} may not ${facts.forbidden.join(', ')}. Ask for these rights. Nothing was changed.`,
    );
  }
  const goesOn = isUnfinished(context, answers, facts, objects);
  if (!goesOn && facts.claims.length > 0) {
    throw new UserError(
      'already-exists',
      `Volumes of an earlier cluster "${name}" are still there (${where}): ${facts.claims.join(', ')}. Deploying over them could mix old keys with new ones. Delete these PersistentVolumeClaims or choose another name. Nothing was changed.`,
    );
  }
  if (facts.storageClass === 'none') {
    throw new UserError(
      'not-found',
      `Context ${context} has no default StorageClass, so the pods would wait for their volumes for ever. Mark one as default (annotation storageclass.kubernetes.io/is-default-class: "true"). Nothing was changed.`,
    );
  }
  return goesOn;
}

function isUnfinished(
  context: string,
  { name, namespace }: DeployAnswers,
  { existing }: DeployFacts,
  objects: readonly KubernetesObject[],
): boolean {
  const foreign = existing.filter((object) => !isOurs(object, name) || isDeployed(object));
  const taken = foreign.map((object) => `${object.kind} ${object.metadata.name}`).join(', ');
  if (foreign.length > 0) {
    throw new UserError(
      'already-exists',
      `The name "${name}" is taken in context ${context}, namespace ${namespace}: ${taken} exists. Choose another name. Nothing was changed.`,
    );
  }
  const begun = existing.find((object) => object.kind === 'StatefulSet');
  const wanted = objects.find((object) => object.kind === 'StatefulSet');
  if (begun !== undefined && wanted !== undefined && shapeOf(begun) !== shapeOf(wanted)) {
    throw new UserError(
      'already-exists',
      `A deployment of "${name}" with other answers was begun in context ${context}, namespace ${namespace}, and not finished. Delete it with Delete Cluster…, or deploy with the same answers to go on with it. Nothing was changed.`,
    );
  }
  return begun !== undefined;
}

function isOurs({ metadata: { labels = {} } }: KubernetesObject, name: string): boolean {
  return labels[managedByLabel] === managedBy && labels[instanceLabel] === name;
}

function isDeployed({ kind, metadata: { annotations = {} } }: KubernetesObject): boolean {
  return kind === 'StatefulSet' && annotations[stateAnnotation] !== 'deploying';
}

interface Shape {
  readonly replicas?: number;
  readonly template: {
    readonly spec: {
      readonly containers: readonly {
        readonly image?: string;
        readonly env?: readonly {
          readonly name: string;
          readonly value?: string;
          readonly valueFrom?: { readonly secretKeyRef?: unknown };
        }[];
      }[];
    };
  };
  readonly volumeClaimTemplates?: readonly {
    readonly spec: { readonly resources: { readonly requests?: unknown } };
  }[];
}

/** What two deployments of one name must have in common for the second to go on with the first. */
function shapeOf(statefulSet: KubernetesObject): string {
  const { replicas, template, volumeClaimTemplates = [] } = statefulSet['spec'] as Shape;
  const plain = template.spec.containers.map(({ image, env = [] }) => [
    image,
    env.filter((one) => one.value !== undefined).map(({ name, value }) => [name, value]),
    env.some((one) => one.valueFrom?.secretKeyRef !== undefined),
  ]);
  return JSON.stringify([
    replicas,
    plain,
    volumeClaimTemplates.map((claim) => claim.spec.resources.requests),
  ]);
}
