import { quantity } from '../../model/quantity.ts';
import { UserError } from '../../model/errors.ts';
import type { KubernetesObject } from '../../kubernetes/kubernetesAccess.ts';
import { checkAdoption } from './adoption.ts';
import { podCount, type DeployAnswers } from './answers.ts';
import { neededSecrets, type DeployFacts } from './facts.ts';
import { generatedSecret, instanceLabel, managedBy, managedByLabel } from './render.ts';

/** On a StatefulSet of ours: `deploying` until its cluster was seen whole, then `deployed`. */
const stateAnnotation = 'kubernetes-redis-cluster/state';

/** An object as it is applied: a StatefulSet bears how far its deployment has come. */
export function withState(object: KubernetesObject, state: 'deploying' | 'deployed'): KubernetesObject {
  if (object.kind !== 'StatefulSet') return object;
  const annotations = { ...object.metadata.annotations, [stateAnnotation]: state };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** Whether a StatefulSet bears that its deployment was finished. */
export function isFinished(found: KubernetesObject | undefined): boolean {
  return found?.metadata.annotations?.[stateAnnotation] === 'deployed';
}

/**
 * What a deployment does with what is there: starts, resumes an unfinished one of the same answers, or takes
 * over the volumes of an earlier cluster.
 */
export type Beginning = 'new' | 'goesOn' | 'adopts';

/** Throws a UserError where the deployment cannot begin; nothing was changed then. */
export function checkFacts(
  context: string,
  answers: DeployAnswers,
  facts: DeployFacts,
  objects: readonly KubernetesObject[],
): Beginning {
  const { namespace } = answers;
  const where = `context ${context}, namespace ${namespace}`;
  const refuse = (reason: UserError['reason'], text: string): never => {
    throw new UserError(reason, `${text} Nothing was changed.`);
  };
  if (facts.namespace === 'missing') {
    refuse(
      'not-found',
      `Namespace "${namespace}" does not exist in context ${context}. Create it with: kubectl --context ${context} create namespace ${namespace}.`,
    );
  }
  if (facts.namespace === 'terminating')
    refuse('unsafe', `Namespace "${namespace}" in context ${context} is being deleted.`);
  const [missing] = facts.missingKinds;
  if (missing !== undefined) {
    refuse(
      'not-found',
      `Context ${context} does not know the kind ${missing}.${missing === 'ServiceMonitor' ? ' Install the Prometheus operator, or remove the overlay servicemonitor.' : ''}`,
    );
  }
  if (facts.forbidden.length > 0)
    refuse(
      'forbidden',
      `Your account in ${where} is not allowed to ${facts.forbidden.join(', ')}. Request these permissions.`,
    );
  const begun = isUnfinished(context, answers, facts, objects);
  const problem = secretProblem(answers, facts) ?? volumeProblem(context, facts, objects);
  if (problem !== undefined) refuse('not-found', problem);
  const crowd = workerProblem(context, answers, facts);
  if (crowd !== undefined) refuse('unsafe', crowd);
  if (begun) return 'goesOn';
  return checkAdoption(context, answers, facts) ? 'adopts' : 'new';
}

/** A Secret that is there must have the key; one that a person named, or keeps the certificates in, must be there. */
function secretProblem(answers: DeployAnswers, { secrets }: DeployFacts): string | undefined {
  for (const [name, needed] of neededSecrets(answers)) {
    const keys = secrets.get(name);
    const isMade = answers.auth === 'generate' && name === generatedSecret(answers.name).secret;
    if (keys === 'unknown' || (keys === undefined && isMade)) continue;
    const missing = needed.filter((key) => keys?.includes(key) !== true);
    if (missing.length === 0) continue;
    const what = keys === undefined ? 'does not exist' : `has no key ${missing.join(', ')}`;
    const files = needed.map((key) => `--from-file=${key}=${needed.length === 1 ? '/dev/stdin' : key}`);
    return `Secret "${name}" in namespace ${answers.namespace} ${what}. Create it, for example with: kubectl -n ${answers.namespace} create secret generic ${name} ${files.join(' ')}.`;
  }
  return undefined;
}

interface ClaimTemplates {
  readonly volumeClaimTemplates?: readonly { readonly spec: { readonly storageClassName?: string } }[];
}

function volumeProblem(
  context: string,
  { storageClasses }: DeployFacts,
  objects: readonly KubernetesObject[],
): string | undefined {
  if (storageClasses === undefined) return undefined;
  const names = storageClasses.map(({ name }) => name).join(', ') || 'none';
  for (const object of objects) {
    const { volumeClaimTemplates = [] } = (object['spec'] ?? {}) as ClaimTemplates;
    for (const { spec } of volumeClaimTemplates) {
      const { storageClassName } = spec;
      if (storageClassName === undefined && !storageClasses.some(({ isDefault }) => isDefault))
        return `Context ${context} has no default StorageClass, so the pods would wait for their volumes forever. Name an existing one (${names}), mark one as default (annotation storageclass.kubernetes.io/is-default-class: "true"), or select the overlay dev, which has no volumes.`;
      if (storageClassName !== undefined && !storageClasses.some(({ name }) => name === storageClassName))
        return `Context ${context} has no StorageClass "${storageClassName}". It has: ${names}.`;
    }
  }
  return undefined;
}

function workerProblem(
  context: string,
  answers: DeployAnswers,
  { workers }: DeployFacts,
): string | undefined {
  const { overlays = [] } = answers;
  const pods = podCount(answers);
  if (workers === undefined) return undefined;
  if (overlays.includes('production') && workers < pods)
    return `The overlay production puts one pod on each Kubernetes node: ${quantity(pods, 'pod')} need ${quantity(pods, 'Kubernetes node')} that take pods, and context ${context} has ${workers}. Add nodes, choose a smaller shape, or remove the overlay.`;
  if (overlays.includes('spread') && workers < 2)
    return `The overlay spread never puts all pods on one Kubernetes node, and context ${context} has ${workers} that take pods. Add nodes, or remove the overlay.`;
  return undefined;
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
      `A deployment of "${name}" with other answers was started in context ${context}, namespace ${namespace}, and not finished. Delete it with Delete Cluster…, or deploy with the same answers to resume it. Nothing was changed.`,
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
