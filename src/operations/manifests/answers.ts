import { quantity } from '../../model/quantity.ts';
import { UserError } from '../../model/errors.ts';
import type { SecretKey } from '../../kubernetes/kubernetesAccess.ts';
import { checkOverlays, type Overlay } from './overlays.ts';

/** What a person answers before a cluster is deployed. */
export interface DeployAnswers {
  readonly namespace: string;
  readonly name: string;
  readonly masters: number;
  readonly replicasPerMaster: number;
  /** What is put on top of the base. */
  readonly overlays?: readonly Overlay[];
  /** Absent for the one that the manifests name. */
  readonly image?: string;
  /** Size of each pod's volume, a Kubernetes quantity such as `1Gi`; absent for the manifests' own. */
  readonly storage?: string;
  /** Absent for the default class. */
  readonly storageClass?: string;
  /** Memory each server may use, a Kubernetes quantity; absent for the manifests' own. */
  readonly memory?: string;
  /** Where the servers' password comes from: a new one, none, or a Secret that is there. */
  readonly auth: 'generate' | 'none' | SecretKey;
  /** Volumes of an earlier cluster of that name are taken over with their keys, if they are of the same shape. */
  readonly adopt?: boolean;
}

/**
 * A pod's name `<name>-<ordinal>` and the `controller-revision-hash` label `<name>-<ten characters>` go into labels,
 * whose values have at most 63 characters. https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
 */
const longestName = 63 - 11;

const fewestMasters = 3;
const mostReplicas = 5;
const mostPods = 1000;

export function podCount(answers: Pick<DeployAnswers, 'masters' | 'replicasPerMaster'>): number {
  return answers.masters * (1 + answers.replicasPerMaster);
}

/** What the cluster is to be, for titles. */
export function shapeText({ masters, replicasPerMaster, overlays = [] }: DeployAnswers): string {
  const replicas = `${quantity(replicasPerMaster, 'replica')} each`;
  return [`${quantity(masters, 'master')}, ${replicas}`, ...overlays].join(', ');
}

/** Throws a UserError that says which answer cannot be and what would be good. */
export function checkAnswers(answers: DeployAnswers): void {
  checkName(answers.name);
  checkLabel('namespace', answers.namespace, 63);
  checkShape(answers);
  checkOverlays(answers.overlays ?? []);
  if (answers.image !== undefined) checkImage(answers.image);
  checkVolume(answers);
  if (answers.memory !== undefined) checkQuantity('memory', answers.memory);
  if (typeof answers.auth === 'object' && (answers.auth.secret === '' || answers.auth.key === '')) {
    throw invalid('For the password, name a Secret and a key in it.');
  }
}

function checkName(name: string): void {
  checkLabel('name', name, longestName);
  if (!/^[a-z]/.test(name)) {
    throw invalid(
      `"${name}" cannot be the name of a cluster: it becomes the name of a Service, which must start with a letter.`,
    );
  }
}

function checkLabel(what: 'name' | 'namespace', value: string, longest: number): void {
  if (value.length > longest) {
    throw invalid(
      `The ${what} "${value}" is too long: ${value.length} characters, at most ${longest} fit, since Kubernetes adds to it in pod names and labels.`,
    );
  }
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(value)) {
    throw invalid(
      `"${value}" cannot be a ${what}: use lower-case letters, digits and "-", beginning and ending with a letter or digit.`,
    );
  }
}

function checkShape({ masters, replicasPerMaster }: DeployAnswers): void {
  if (!Number.isInteger(masters) || masters < fewestMasters) {
    throw invalid(
      `A Redis Cluster needs at least ${fewestMasters} masters, since a majority of them has to agree on a failover; ${masters} were requested.`,
    );
  }
  if (!Number.isInteger(replicasPerMaster) || replicasPerMaster < 0 || replicasPerMaster > mostReplicas) {
    throw invalid(
      `A master may have 0 to ${mostReplicas} replicas here; ${replicasPerMaster} were requested.`,
    );
  }
  const pods = podCount({ masters, replicasPerMaster });
  if (pods > mostPods) {
    throw invalid(
      `${quantity(masters, 'master')} with ${quantity(replicasPerMaster, 'replica')} each are ${quantity(pods, 'pod')}; a Redis Cluster has at most ${mostPods} nodes.`,
    );
  }
}

function checkVolume({ overlays = [], storage, storageClass, adopt }: DeployAnswers): void {
  if (storage !== undefined) checkQuantity('storage', storage);
  if (storageClass !== undefined && !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(storageClass)) {
    throw invalid(`"${storageClass}" cannot be the name of a StorageClass.`);
  }
  if (!overlays.includes('dev')) return;
  const given = Object.entries({ storage, storageClass, adopt }).find(([, value]) => value !== undefined);
  if (given !== undefined) {
    throw invalid(`The overlay dev has no volumes: remove “${given[0]}” or the overlay.`);
  }
}

/** Throws a UserError where the text cannot name an image. */
export function checkImage(image: string): void {
  if (image.trim() === '') throw invalid('The image is missing. Enter one, for example redis:8.6.3.');
  if (/\s/.test(image) || !/^[\w][\w./:@-]*$/.test(image)) {
    throw invalid(`"${image}" is not the name of an image, such as redis:8.6.3.`);
  }
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
export function checkQuantity(what: 'storage' | 'memory', value: string): void {
  const match = /^(\d+(?:\.\d+)?)(?:[KMGTPE]i|[kMGTPE]|e\d+)?$/.exec(value);
  if (match === null || Number(match[1]) <= 0) {
    throw invalid(
      `"${value}" is not an amount of ${what}. Enter a number with a unit, for example ${what === 'storage' ? '1Gi' : '256Mi'}.`,
    );
  }
  if (bytesOf(value) < 1_048_576) {
    throw invalid(
      `${value} of ${what} is less than 1 MiB. Add a unit, for example ${what === 'storage' ? '1Gi' : '256Mi'}.`,
    );
  }
}

/** The bytes a quantity stands for; NaN where it is none. */
export function bytesOf(quantity: string): number {
  const match = /^(\d+(?:\.\d+)?)(?:([KMGTPE])i|([kMGTPE])|e(\d+))?$/.exec(quantity);
  const power = (letter: string): number => 'KMGTPE'.indexOf(letter.toUpperCase()) + 1;
  const number = Number(match?.[1]);
  if (match?.[2] !== undefined) return number * 1024 ** power(match[2]);
  if (match?.[3] !== undefined) return number * 1000 ** power(match[3]);
  return match?.[4] === undefined ? number : number * 10 ** Number(match[4]);
}

function invalid(message: string): UserError {
  return new UserError('invalid-input', message);
}
