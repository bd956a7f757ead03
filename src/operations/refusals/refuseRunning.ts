import type { Pod } from '../../kubernetes/apiObjects.ts';
import { hasEnded } from '../../model/endedPods.ts';
import { refusal } from '../servers/nodes.ts';

/** Throws a UserError where a pod, as Kubernetes has it now, still runs. */
export function refuseRunning(name: string, object: object): void {
  const { status } = object as Pod;
  const phase = status?.phase ?? 'Unknown';
  if (hasEnded({ phase, deleting: false })) return;
  throw refusal(
    'unsafe',
    `Pod ${name} has not terminated (phase ${phase}): only a pod that will not run again can be replaced.`,
  );
}
