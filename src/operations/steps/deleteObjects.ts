import { isKubernetesRef } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { WorkloadFacts } from '../../model/snapshot.ts';
import { findBackupObjects } from '../statefulSets/backupObjects.ts';
import { apiVersions, findClusterObjects, type OwnedObject } from '../statefulSets/clusterObjects.ts';
import { refusal } from '../servers/nodes.ts';
import { deleteObject, isGone } from './deleteObject.ts';
import { described, listOf, objectName, oneOf, strictObject, uid } from './fields.ts';
import { kubernetesOf, type StepPorts } from './ports.ts';
import { always, never, type StepData, type StepDefinition } from './step.ts';

const kinds = Object.keys(apiVersions) as readonly (keyof typeof apiVersions)[];

const fields = {
  workloads: described(listOf(objectName), 'The workloads of the cluster that the objects belong to.'),
  objects: listOf(
    strictObject(
      { kind: oneOf(...kinds), name: objectName, uid },
      { object: 'an object', field: 'a field of such an object' },
    ),
  ),
};

type DeleteObjects = StepData<'deleteObjects', typeof fields>;

/** Deletes objects that a cluster consists of in Kubernetes, and only those that still can be proved to be its own. */
export const deleteObjects: StepDefinition<'deleteObjects', typeof fields> = {
  kind: 'deleteObjects',
  description: 'Deletes objects of the cluster in Kubernetes.',
  fields,
  example: {
    workloads: ['shop'],
    objects: [{ kind: 'StatefulSet', name: 'shop', uid: '0b5e6a2c-0000-0000-0000-000000000000' }],
  },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'asking',
  text: ({ objects }) => `Delete ${objects.map(textOf).join(', ')}`,
  loss: ({ objects }) => {
    const named = (wanted: readonly string[]): string =>
      objects
        .filter(({ kind }) => wanted.includes(kind))
        .map(textOf)
        .join(', ');
    const [running, secrets] = [named(['StatefulSet', 'Pod']), named(['Secret'])];
    const losses = [
      ...(running === ''
        ? []
        : [
            `The servers of ${running} are deleted, and with them the keys that are on no volume; clients can no longer connect.`,
          ]),
      ...(secrets === '' ? [] : [`The password in ${secrets} is permanently deleted.`]),
    ];
    return losses.length === 0 ? undefined : losses.join(' ');
  },
  destroys: always,
  command: ({ objects }, shell) => [
    shell.kubectl('delete', ...objects.map(({ kind, name }) => `${kind.toLowerCase()}/${name}`)),
  ],
  isDone: async ({ objects }, _snapshot, ports) =>
    (await Promise.all(objects.map((object) => isGone(placed(object), ports)))).every(Boolean),
  check: async (step, _snapshot, ports) => {
    const proved = new Set((await provedObjects(step, ports)).map((object) => object.uid));
    for (const object of step.objects) {
      if (proved.has(object.uid) || (await isGone(placed(object), ports))) continue;
      throw refusal('unsafe', `${textOf(object)} cannot be proved to belong to ${ports.snapshot.name}.`);
    }
  },
  act: async ({ objects }, ports) => {
    for (const object of objects) {
      if (ports.signal.aborted) return;
      await deleteObject(placed(object), ports);
    }
  },
};

function textOf({ kind, name }: Pick<OwnedObject, 'kind' | 'name'>): string {
  return `${kind} ${name}`;
}

function placed(object: OwnedObject) {
  return { ...object, apiVersion: apiVersions[object.kind] };
}

/** What the step's workloads consist of. Throws a UserError where one of them is not the cluster's. */
async function provedObjects(
  { workloads, objects }: DeleteObjects,
  ports: StepPorts,
): Promise<readonly OwnedObject[]> {
  const { access } = kubernetesOf(ports);
  const { ref } = ports.snapshot;
  if (!isKubernetesRef(ref)) return [];
  // The schedule of backups is proved by its own labels, whoever made the servers.
  const backup = await findBackupObjects(access, ref);
  const scheduled = new Set(backup.objects.map(({ uid }) => uid));
  if (objects.every(({ uid }) => scheduled.has(uid))) return backup.objects;
  const known = await workloadsNow(ports);
  const own = await Promise.all(
    workloads.map(async (name): Promise<Pick<WorkloadFacts, 'kind' | 'name'>> => {
      const found = known?.find((one) => one.name === name);
      if (found !== undefined) return found;
      const isOwn = known === undefined && name === ref.name;
      if (isOwn || (await access.get('apps/v1', 'StatefulSet', ref.namespace, name)) === undefined)
        return { kind: 'StatefulSet', name };
      throw refusal('unsafe', `StatefulSet ${name} does not belong to ${ref.name}.`);
    }),
  );
  const found = await findClusterObjects(access, ref, own);
  return [...found.objects, ...found.secrets];
}

/** The cluster's workloads; undefined where none is left. */
async function workloadsNow({ readSnapshot }: StepPorts): Promise<readonly WorkloadFacts[] | undefined> {
  try {
    return (await readSnapshot()).workloads;
  } catch (error) {
    if (error instanceof UserError && error.reason === 'not-found') return undefined;
    throw error;
  }
}
