import { mountsOf } from '../statefulSets/mounts.ts';
import { refusal } from '../servers/nodes.ts';
import { deleteObject, isGone } from './deleteObject.ts';
import { kubernetesOf } from './ports.ts';
import { listOf, objectName, optional, uid } from './fields.ts';
import { always, never, type StepData, type StepDefinition } from './step.ts';

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
  isDone: async (step, _snapshot, ports) => {
    const gone = await Promise.all(claimsOf(step).map((claim) => isGone(claim, ports)));
    return gone.every(Boolean);
  },
  check: async ({ claims }, _snapshot, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    const [used] = [...(await mountsOf(access, namespace, claims)).values()];
    if (used === undefined) return;
    throw refusal('unsafe', `Pod ${used.pod} still exists and uses its volume.`);
  },
  act: async (step, ports) => {
    for (const claim of claimsOf(step)) {
      if (ports.signal.aborted) return;
      await deleteObject(claim, ports);
    }
  },
};

function claimsOf({ claims, uids }: StepData<'deleteVolumes', typeof fields>) {
  const place = { apiVersion: 'v1', kind: 'PersistentVolumeClaim' };
  return claims.map((name, index) => ({ ...place, name, uid: uids?.[index] }));
}
