import type { KubernetesObject, SecretKey } from '../../kubernetes/kubernetesAccess.ts';
import { checkAnswers, podCount, type DeployAnswers } from './answers.ts';
import { readKustomization } from './kustomize.ts';

/** The label by which this product knows again what it has deployed. */
export const managedBy = 'kubernetes-redis-cluster';
export const managedByLabel = 'app.kubernetes.io/managed-by';
export const instanceLabel = 'app.kubernetes.io/instance';
/** The name the manifests use where `kubectl apply -k` applies them as they are. */
const ownName = /^redis-cluster(?=$|[-.])/;
/** Labels that say what a thing is, not whose. */
const keptLabels = new Set(['app.kubernetes.io/name', 'app.kubernetes.io/part-of', managedByLabel]);

/** The Secret that holds a deployment's generated password. */
export function generatedSecret(name: string): SecretKey {
  return { secret: `${name}-auth`, key: 'password' };
}

/**
 * The objects of a deployment: the manifests' own, changed field by field to fit the answers. The generated password's
 * Secret is not among them.
 * @param files the files of manifests/, by their paths in it
 */
export function renderManifests(
  files: ReadonlyMap<string, string>,
  answers: DeployAnswers,
): readonly KubernetesObject[] {
  checkAnswers(answers);
  return readKustomization(files, '').map((object) => {
    const ours = placed(object, answers);
    return ours.kind === 'StatefulSet' ? shaped(ours, answers) : ours;
  });
}

function placed(object: KubernetesObject, { name, namespace }: DeployAnswers): KubernetesObject {
  // A ConfigMap's texts are files, in which nothing is to be renamed.
  const { metadata } = renamed({ metadata: object.metadata }, name) as KubernetesObject;
  const rest = object.kind === 'ConfigMap' ? object : (renamed(object, name) as KubernetesObject);
  const labels = { ...metadata.labels, [instanceLabel]: name, [managedByLabel]: managedBy };
  return { ...rest, metadata: { ...metadata, namespace, labels } };
}

/** Every text that is the manifests' name, or begins with it, in any field. */
function renamed(value: unknown, name: string): unknown {
  if (typeof value === 'string') return value.replace(ownName, name);
  if (Array.isArray(value)) return value.map((one) => renamed(one, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([field, inner]) => [
      field,
      keptLabels.has(field) ? inner : renamed(inner, name),
    ]),
  );
}

/** What is read and written of the StatefulSet; everything else goes through untouched. */
interface StatefulSetSpec {
  readonly template: { readonly spec: { readonly containers: readonly Container[] } };
  readonly volumeClaimTemplates: readonly {
    readonly spec: { readonly resources: { readonly requests: Readonly<Record<string, string>> } };
  }[];
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly env?: readonly Variable[];
  readonly ports?: readonly { readonly name?: string }[];
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string>>;
    readonly limits?: Readonly<Record<string, string>>;
  };
}

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: { readonly name: string; readonly key: string; readonly optional?: boolean };
  };
}

function shaped(object: KubernetesObject, answers: DeployAnswers): KubernetesObject {
  const spec = object['spec'] as StatefulSetSpec;
  const podSpec = spec.template.spec;
  const template = {
    ...spec.template,
    spec: { ...podSpec, containers: podSpec.containers.map((one) => container(one, answers)) },
  };
  const volumeClaimTemplates = spec.volumeClaimTemplates.map((claim) => ({
    ...claim,
    spec: {
      ...claim.spec,
      resources: {
        ...claim.spec.resources,
        requests: { ...claim.spec.resources.requests, storage: answers.storage },
      },
    },
  }));
  return { ...object, spec: { ...spec, replicas: podCount(answers), template, volumeClaimTemplates } };
}

function container(one: Container, answers: DeployAnswers): Container {
  const env = (one.env ?? []).flatMap((variable) => variableFor(variable, answers));
  const isServer = one.ports?.some((port) => port.name === 'redis') ?? false;
  const sized = isServer && answers.memory !== undefined ? { memory: answers.memory } : {};
  return {
    ...one,
    image: answers.image,
    env,
    resources: {
      ...one.resources,
      requests: { ...one.resources?.requests, ...sized },
      limits: { ...one.resources?.limits, ...sized },
    },
  };
}

function variableFor(variable: Variable, answers: DeployAnswers): readonly Variable[] {
  if (variable.name === 'MASTERS') return [{ ...variable, value: String(answers.masters) }];
  if (variable.name === 'REPLICAS') return [{ ...variable, value: String(answers.replicasPerMaster) }];
  const generated = generatedSecret(answers.name);
  if (variable.valueFrom?.secretKeyRef?.name !== generated.secret) return [variable];
  if (answers.auth === 'none') return [];
  const { secret, key } = answers.auth === 'generate' ? generated : answers.auth;
  // Not optional: without its password a pod shall not start rather than serve everybody.
  return [{ name: variable.name, valueFrom: { secretKeyRef: { name: secret, key } } }];
}
