import { describeRef } from '../../model/clusterRef.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { refusal } from '../servers/nodes.ts';
import { managedText, type Owner } from '../statefulSets/owner.ts';
import { onlyStatefulSet, refuseUnhealthy } from './changingPods.ts';
import { refuseIncomplete } from './refuseIncomplete.ts';

/** What is asked of Kubernetes before a cluster's shape is planned. */
export interface ShapeFacts {
  /** The tool that would change the StatefulSet back. */
  readonly owner?: Owner;
}

/** The one StatefulSet whose replicas may be changed here. Throws a UserError that names whoever else looks after it. */
export function scalable(
  snapshot: ClusterSnapshot,
  { owner }: ShapeFacts,
): ReturnType<typeof onlyStatefulSet> {
  const only = onlyStatefulSet(snapshot, 'Scale');
  if (owner === undefined) return only;
  throw refusal('unsafe', `${managedText(`StatefulSet ${only.workload.name}`, owner)} Scale it there.`);
}

/** Throws a UserError where nodes would join or leave in the middle of something else. */
export function refuseUnsound(snapshot: ClusterSnapshot): void {
  refuseIncomplete(snapshot);
  refuseUnhealthy(snapshot);
  const handshakes = snapshot.nodes.some(({ view }) =>
    view?.others.some(({ flags }) => flags.includes('handshake')),
  );
  if (!handshakes) return;
  throw refusal('unsafe', `Nodes of ${describeRef(snapshot.ref)} are still being introduced to each other.`);
}
