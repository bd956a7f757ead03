import { describeRef, isKubernetesRef, type ClusterRef } from '../../model/clusterRef.ts';
import { guardedName, guardOf, type Guards } from '../../model/guards.ts';
import { refusal } from '../servers/nodes.ts';

/** Throws a UserError `unsafe` where the settings allow no change: the one place that keeps read-only what is meant to be. */
export function refuseReadOnly(ref: ClusterRef, guards: Guards): void {
  if (guardOf(ref, guards) !== 'readOnly') return;
  const where = isKubernetesRef(ref) ? `Context ${guardedName(ref)}` : describeRef(ref);
  throw refusal(
    'unsafe',
    `${where} is read-only in this editor (setting redisCluster.readOnlyContexts). Remove it from the setting to change clusters there.`,
  );
}
