import { refusal } from '../nodes.ts';
import { kubernetesOf } from './ports.ts';
import { listOf, objectName, optional, uid } from './fields.ts';
import { always, never, type StepDefinition } from './step.ts';

const fields = {
  claims: listOf(objectName),
  uids: optional(
    listOf(uid),
    'Which volumes are meant, in the order of the claims: another one that has a name by then is left.',
  ),
};

/** Deletes the volumes of pods that have ended; an old one would bring its node's id and slots back with the next pod. */
export const deleteVolumes: StepDefinition<'deleteVolumes', typeof fields> = {
  kind: 'deleteVolumes',
  description: 'Deletes volumes with what they hold.',
  fields,
  example: { claims: ['data-shop-7'] },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'asking',
  text: ({ claims }) => `Delete the volumes ${claims.join(', ')}`,
  loss: ({ claims }) => `Everything on the volumes ${claims.join(', ')} is permanently deleted.`,
  destroys: always,
  command: ({ claims }, shell) => [shell.kubectl('delete', 'pvc', ...claims)],
  isDone: async ({ claims, uids }, _snapshot, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    const found = await Promise.all(
      claims.map((name) => access.get('v1', 'PersistentVolumeClaim', namespace, name)),
    );
    return found.every((one, index) => one === undefined || isGone(one.metadata, uids?.[index]));
  },
  check: ({ claims }, { nodes, loosePods }) => {
    const pods = [...nodes.flatMap(({ pod }) => pod ?? []), ...loosePods];
    const used = pods.find(({ name }) => claims.some((claim) => claim.endsWith(`-${name}`)));
    if (used === undefined) return;
    throw refusal('unsafe', `Pod ${used.name} still exists and uses its volume.`);
  },
  act: async ({ claims, uids }, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    for (const [index, name] of claims.entries()) {
      if (ports.signal.aborted) return;
      const uid = uids?.[index];
      const found = await access.get('v1', 'PersistentVolumeClaim', namespace, name);
      if (found === undefined || isGone(found.metadata, uid)) continue;
      ports.report({ text: `deleting volume ${name}` });
      const only = uid === undefined ? {} : { uid };
      await access.delete('v1', 'PersistentVolumeClaim', namespace, name, ports.signal, only);
    }
  },
};

/** Kubernetes keeps a claim's object for a moment after it was deleted; another volume may have the name by then. */
function isGone(metadata: object, planned: string | undefined): boolean {
  const { deletionTimestamp, uid } = metadata as {
    readonly deletionTimestamp?: string;
    readonly uid?: string;
  };
  return deletionTimestamp !== undefined || (planned !== undefined && uid !== planned);
}
