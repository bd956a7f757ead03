import { quantity } from '../../model/quantity.ts';
import type { PersistentVolumeClaim } from '../../kubernetes/apiObjects.ts';
import type { KubernetesAccess, KubernetesObject } from '../../kubernetes/kubernetesAccess.ts';
import { messageOf, UserError } from '../../model/errors.ts';
import { bytesOf } from '../manifests/answers.ts';
import { observedSet } from './changeSet.ts';
import { readClaims, readPods, readSet, type SetFacts } from './facts.ts';
import type { Place, UpgradePorts } from './ports.ts';

/** Milliseconds volumes have for growing. */
const growLimit = 600_000;
const goneLimit = 60_000;
const pollEvery = 500;
/** Where a StatefulSet's text is kept while it is recreated. */
const keptIn = (statefulSet: string): string => `${statefulSet}-statefulset`;
const keptAs = 'statefulset.json';

/**
 * Lets every volume grow, then recreates the StatefulSet around its running pods, since what it asks of new volumes
 * cannot be changed in place. https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims
 */
export async function growVolumes(place: Place, storage: string, ports: UpgradePorts): Promise<void> {
  const { namespace, statefulSet } = place;
  const { access, signal, report } = ports;
  const lost = await lostSet(access, namespace, statefulSet);
  if (lost !== undefined) await createAgain(place, lost, ports);
  const set = await readSet(access, namespace, statefulSet);
  const claims = await readClaims(access, namespace, set);
  for (const claim of claims) {
    signal.throwIfAborted();
    if (bytesOf(claim.requested) === bytesOf(storage)) continue;
    report({ text: `${claim.name}: growing to ${storage}` });
    const change = { spec: { resources: { requests: { storage } } } };
    await access.patch('v1', 'PersistentVolumeClaim', namespace, claim.name, change, signal);
  }
  await untilGrown(place, storage, ports);
  if (set.claimTemplates.some((one) => bytesOf(one.storage) !== bytesOf(storage))) {
    await remakeSet(place, storage, ports);
  }
}

/** A StatefulSet that is gone or going since a run ended before it had created it again; undefined where none is. */
export async function lostSet(
  access: KubernetesAccess,
  namespace: string,
  statefulSet: string,
): Promise<KubernetesObject | undefined> {
  const found = await access.get('apps/v1', 'StatefulSet', namespace, statefulSet);
  if (found !== undefined && found.metadata.deletionTimestamp === undefined) return undefined;
  const kept = await access.get('v1', 'ConfigMap', namespace, keptIn(statefulSet));
  const text = (kept?.['data'] as Readonly<Record<string, string>> | undefined)?.[keptAs];
  if (text === undefined) return undefined;
  const object = JSON.parse(text) as KubernetesObject;
  return object.kind === 'StatefulSet' && object.metadata.name === statefulSet ? object : undefined;
}

/** Whether every volume has that size, and new ones get it. */
export async function areGrown(
  access: KubernetesAccess,
  namespace: string,
  statefulSet: string,
  storage: string,
): Promise<boolean> {
  if ((await lostSet(access, namespace, statefulSet)) !== undefined) return false;
  const set = await readSet(access, namespace, statefulSet);
  const isDue = set.claimTemplates.some((one) => bytesOf(one.storage) !== bytesOf(storage));
  return !isDue && (await growing(access, namespace, set, storage)).left.length === 0;
}

/** The names of the volumes that have not grown yet, and of how many. */
async function growing(
  access: KubernetesAccess,
  namespace: string,
  set: SetFacts,
  storage: string,
): Promise<{ readonly left: readonly string[]; readonly total: number }> {
  const names = (await readClaims(access, namespace, set)).map((claim) => claim.name);
  const found = await access.list('v1', 'PersistentVolumeClaim', namespace);
  const left = found.filter((one) => names.includes(one.metadata.name) && !hasGrown(one, storage));
  return { left: left.map(({ metadata }) => metadata.name), total: names.length };
}

async function untilGrown(
  { namespace, statefulSet }: Place,
  storage: string,
  { access, now, delay, signal, report }: UpgradePorts,
): Promise<void> {
  const end = now() + growLimit;
  for (;;) {
    signal.throwIfAborted();
    const set = await readSet(access, namespace, statefulSet);
    const { left, total } = await growing(access, namespace, set, storage);
    if (left.length === 0) return;
    const [first] = left;
    if (now() > end) {
      throw new UserError(
        'failed',
        `Volume ${first ?? ''} does not grow to ${storage}: kubectl describe pvc says why. No pod was restarted.`,
      );
    }
    report({
      text: `Waiting for ${quantity(left.length, 'volume')} to grow`,
      done: total - left.length,
      total,
      unit: 'volumes',
    });
    await delay(pollEvery, signal);
  }
}

/** Some file systems grow when the pod is started the next time; Kubernetes says so. */
function hasGrown(claim: KubernetesObject, storage: string): boolean {
  const { status } = claim as PersistentVolumeClaim;
  const { capacity, conditions = [] } = status ?? {};
  if (bytesOf(capacity?.['storage'] ?? '0') >= bytesOf(storage)) return true;
  return conditions.some((one) => one.type === 'FileSystemResizePending' && one.status === 'True');
}

/**
 * Deletes the StatefulSet but not its pods, and creates it again. Meanwhile its text is kept in a ConfigMap: whoever
 * finds pods without their StatefulSet can create it from there.
 */
async function remakeSet(place: Place, storage: string, ports: UpgradePorts): Promise<void> {
  const { namespace, statefulSet } = place;
  const { access, signal, report } = ports;
  const found = await access.get('apps/v1', 'StatefulSet', namespace, statefulSet);
  if (found === undefined) throw new UserError('not-found', `StatefulSet ${statefulSet} is gone.`);
  const object = grown(found, storage);
  report({ text: `recreating StatefulSet ${statefulSet} around its pods` });
  await access.apply(keptText(namespace, object), signal);
  // From here on it is not stopped: pods without a StatefulSet are not created again.
  await access.delete('apps/v1', 'StatefulSet', namespace, statefulSet, undefined, {
    propagationPolicy: 'Orphan',
  });
  await createAgain(place, object, ports);
}

async function createAgain(place: Place, object: KubernetesObject, ports: UpgradePorts): Promise<void> {
  const { namespace, statefulSet } = place;
  const { access } = ports;
  const keep = keptIn(statefulSet);
  try {
    await untilGone(namespace, statefulSet, ports);
    await access.create(object);
  } catch (error) {
    throw new UserError(
      'failed',
      `The pods keep running, but their StatefulSet could not be created again: ${messageOf(error)} Its definition is in ConfigMap ${keep}: kubectl get configmap ${keep} -n ${namespace} -o 'jsonpath={.data.${keptAs.replace('.', '\\.')}}' | kubectl create -f -`,
      { cause: error },
    );
  }
  await access.delete('v1', 'ConfigMap', namespace, keep);
  const { revision } = await observedSet(place, ports);
  const other = (await readPods(access, namespace, statefulSet)).find((pod) => pod.revision !== revision);
  if (other === undefined) return;
  throw new UserError(
    'unsafe',
    `StatefulSet ${statefulSet} was recreated and would restart ${other.name}; its partition keeps all pods unchanged.`,
  );
}

/** As it was, without what the server sets, with larger volumes, and no pod is to be renewed by it. */
function grown(found: KubernetesObject, storage: string): KubernetesObject {
  const { metadata } = found;
  const { name, namespace, labels, annotations } = metadata;
  const spec = found['spec'] as {
    readonly replicas?: number;
    readonly updateStrategy?: { readonly rollingUpdate?: object };
    readonly volumeClaimTemplates: readonly {
      readonly metadata: object;
      readonly spec: { readonly resources?: object };
    }[];
  };
  const rollingUpdate = { ...spec.updateStrategy?.rollingUpdate, partition: spec.replicas ?? 1 };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: {
      ...spec,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate },
      volumeClaimTemplates: spec.volumeClaimTemplates.map((claim) => ({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: claim.metadata,
        spec: { ...claim.spec, resources: { ...claim.spec.resources, requests: { storage } } },
      })),
    },
  };
}

function keptText(namespace: string, object: KubernetesObject): KubernetesObject {
  const name = keptIn(object.metadata.name);
  const data = { [keptAs]: JSON.stringify(object) };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

async function untilGone(
  namespace: string,
  name: string,
  { access, now, delay, signal }: UpgradePorts,
): Promise<void> {
  const end = now() + goneLimit;
  while ((await access.get('apps/v1', 'StatefulSet', namespace, name)) !== undefined) {
    if (now() > end) throw new Error('the old one is still being deleted.');
    await delay(signal.aborted ? 0 : pollEvery, signal);
  }
}
