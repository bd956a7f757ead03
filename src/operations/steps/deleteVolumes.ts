import { refusal } from '../nodes.ts';
import { kubernetesOf } from './ports.ts';
import type { StepRun } from './step.ts';

/** Deletes the volumes of pods that have ended; an old one would bring its node's id and slots back with the next pod. */
export const deleteVolumes: StepRun<'deleteVolumes'> = {
  isDone: async ({ claims }, _snapshot, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    const found = await Promise.all(
      claims.map((name) => access.get('v1', 'PersistentVolumeClaim', namespace, name)),
    );
    return found.every((one) => one === undefined || isGoing(one.metadata));
  },
  check: ({ claims }, { nodes, loosePods }) => {
    const pods = [...nodes.flatMap(({ pod }) => pod ?? []), ...loosePods];
    const used = pods.find(({ name }) => claims.some((claim) => claim.endsWith(`-${name}`)));
    if (used === undefined) return;
    throw refusal('unsafe', `Pod ${used.name} is still there and uses its volume.`);
  },
  act: async ({ claims }, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    for (const name of claims) {
      if (ports.signal.aborted) return;
      ports.report({ text: `deleting volume ${name}` });
      await access.delete('v1', 'PersistentVolumeClaim', namespace, name, ports.signal);
    }
  },
};

/** Kubernetes keeps a claim's object for a moment after it was deleted. */
function isGoing(metadata: object): boolean {
  return 'deletionTimestamp' in metadata && metadata.deletionTimestamp !== undefined;
}
