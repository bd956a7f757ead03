import type { KubernetesObject, SecretKey } from '../../kubernetes/kubernetesAccess.ts';
import { checkAnswers, podCount, type DeployAnswers } from './answers.ts';
import { claimAnnotations, type ClaimRecord } from '../statefulSets/claims.ts';
import { readKustomization } from './kustomize.ts';
import { componentsOf } from './overlays.ts';

/** The label by which this product knows again what it has deployed. */
export const managedBy = 'kubernetes-redis-cluster';
export const managedByLabel = 'app.kubernetes.io/managed-by';
export const instanceLabel = 'app.kubernetes.io/instance';
/** The key beside the password under which the one before it stands while it is being replaced. */
export const previousPassword = 'previous-password';
/** The volume with the password's files. */
const authVolume = 'auth';
/** The name the manifests use where `kubectl apply -k` applies them as they are. */
const ownName = /^redis-cluster(?=$|[-.])/;
/** Labels that say what a thing is, not whose. */
const keptLabels = new Set(['app.kubernetes.io/name', 'app.kubernetes.io/part-of', managedByLabel]);

/** The Secret that holds a deployment's generated password. */
export function generatedSecret(name: string): SecretKey {
  return { secret: `${name}-auth`, key: 'password' };
}

/** What a deployment's volumes are to say of it. */
export function claimRecord({ name, masters, replicasPerMaster, auth }: DeployAnswers): ClaimRecord {
  const { secret, key } = typeof auth === 'object' ? auth : generatedSecret(name);
  return {
    shape: `${masters}x${replicasPerMaster}`,
    password: auth === 'none' ? auth : `${secret}/${key}`,
  };
}

/**
 * The objects of a deployment: the manifests' own, changed field by field to fit the answers. The generated password's
 * Secret is not among them.
 * @param files the files of manifests/, by their paths in it
 * @param pods more than the answers' shape where volumes of a cluster that was scaled up are adopted
 */
export function renderManifests(
  files: ReadonlyMap<string, string>,
  answers: DeployAnswers,
  pods = podCount(answers),
): readonly KubernetesObject[] {
  checkAnswers(answers);
  return readKustomization(files, '', componentsOf(answers.overlays ?? [])).map((object) => {
    const ours = placed(object, answers);
    return ours.kind === 'StatefulSet' ? shaped(ours, answers, pods) : ours;
  });
}

/** An object of the manifests with a cluster's name instead of theirs, in a namespace, marked as ours. */
export function placed(
  object: KubernetesObject,
  { name, namespace }: Pick<DeployAnswers, 'name' | 'namespace'>,
): KubernetesObject {
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
  readonly template: {
    readonly spec: { readonly containers: readonly Container[]; readonly volumes?: readonly Volume[] };
  };
  readonly volumeClaimTemplates?: readonly ClaimTemplate[];
}

interface ClaimTemplate {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: { readonly resources: { readonly requests: Readonly<Record<string, string>> } };
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly env?: readonly Variable[];
  readonly ports?: readonly { readonly name?: string }[];
  readonly volumeMounts?: readonly { readonly name: string }[];
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string>>;
    readonly limits?: Readonly<Record<string, string>>;
  };
}

interface Volume {
  readonly name: string;
  readonly secret?: {
    readonly secretName: string;
    readonly items?: readonly { readonly key: string; readonly path: string }[];
  };
}

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: { readonly name: string; readonly key: string; readonly optional?: boolean };
  };
}

function shaped(object: KubernetesObject, answers: DeployAnswers, pods: number): KubernetesObject {
  const spec = object['spec'] as StatefulSetSpec;
  const podSpec = spec.template.spec;
  const server = podSpec.containers.find(isServer)?.image;
  const containers = podSpec.containers.map((one) =>
    container(one.image === server ? { ...one, image: answers.image ?? one.image } : one, answers),
  );
  const volumes = podSpec.volumes?.flatMap((one) => volumeFor(one, answers));
  const { volumeClaimTemplates, ...rest } = spec;
  const claims = volumeClaimTemplates?.map((claim) => claimTemplate(claim, answers));
  return {
    ...object,
    spec: {
      ...rest,
      replicas: pods,
      template: {
        ...spec.template,
        spec: { ...podSpec, containers, ...(volumes === undefined ? {} : { volumes }) },
      },
      ...(claims === undefined ? {} : { volumeClaimTemplates: claims }),
    },
  };
}

function isServer({ ports = [] }: Container): boolean {
  return ports.some((port) => port.name === 'redis');
}

/** A volume bears what it takes to know later whether a new cluster may take it over. */
function claimTemplate(claim: ClaimTemplate, answers: DeployAnswers): ClaimTemplate {
  const { storage, storageClass } = answers;
  const { requests } = claim.spec.resources;
  return {
    ...claim,
    metadata: {
      ...claim.metadata,
      annotations: { ...claim.metadata.annotations, ...claimAnnotations(claimRecord(answers)) },
    },
    spec: {
      ...claim.spec,
      ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
      resources: {
        ...claim.spec.resources,
        requests: { ...requests, ...(storage === undefined ? {} : { storage }) },
      },
    },
  };
}

function container(one: Container, answers: DeployAnswers): Container {
  const env = (one.env ?? []).flatMap((variable) => variableFor(variable, answers));
  const mounts = one.volumeMounts?.filter(({ name }) => answers.auth !== 'none' || name !== authVolume);
  const sized = isServer(one) && answers.memory !== undefined ? { memory: answers.memory } : {};
  return {
    ...one,
    ...(one.env === undefined ? {} : { env }),
    ...(mounts === undefined ? {} : { volumeMounts: mounts }),
    resources: {
      ...one.resources,
      requests: { ...one.resources?.requests, ...sized },
      limits: { ...one.resources?.limits, ...sized },
    },
  };
}

/** The scripts read the files `password` and, while it is being replaced, `previous-password`. */
function volumeFor(one: Volume, { auth }: DeployAnswers): readonly Volume[] {
  if (one.name !== authVolume || one.secret === undefined || auth === 'generate') return [one];
  if (auth === 'none') return [];
  const items = [
    { key: auth.key, path: 'password' },
    { key: previousPassword, path: previousPassword },
  ];
  return [{ ...one, secret: { ...one.secret, secretName: auth.secret, items } }];
}

function variableFor(variable: Variable, answers: DeployAnswers): readonly Variable[] {
  if (variable.name === 'MASTERS') return [{ ...variable, value: String(answers.masters) }];
  if (variable.name === 'REPLICAS') return [{ ...variable, value: String(answers.replicasPerMaster) }];
  if (variable.name === 'PASSWORD_REQUIRED') {
    return [{ ...variable, value: answers.auth === 'none' ? 'no' : 'yes' }];
  }
  const generated = generatedSecret(answers.name);
  if (variable.valueFrom?.secretKeyRef?.name !== generated.secret) return [variable];
  if (answers.auth === 'none') return [];
  const { secret, key } = answers.auth === 'generate' ? generated : answers.auth;
  // Not optional: without its password a pod shall not start rather than serve everybody.
  return [{ name: variable.name, valueFrom: { secretKeyRef: { name: secret, key } } }];
}
