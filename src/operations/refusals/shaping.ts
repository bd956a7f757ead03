import { check, isSound } from '../../checks/check.ts';
import { describeRef, isKubernetesRef, type KubernetesClusterRef } from '../../model/clusterRef.ts';
import type { ClusterSnapshot, WorkloadFacts } from '../../model/snapshot.ts';
import { refusal } from '../servers/nodes.ts';
import { managedText, type Owner } from '../statefulSets/owner.ts';
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
): { readonly ref: KubernetesClusterRef; readonly workload: WorkloadFacts } {
  const { ref, workloads } = snapshot;
  const where = describeRef(ref);
  if (!isKubernetesRef(ref)) throw refusal('invalid-input', `${where} is not in Kubernetes.`);
  const [workload, ...others] = workloads;
  if (workload === undefined) throw refusal('not-found', `${where} has no StatefulSet to scale.`);
  if (others.length > 0 || workload.kind !== 'StatefulSet') {
    const names = workloads.map(({ name }) => name).join(', ');
    throw refusal(
      'unsafe',
      `${where} does not run in one StatefulSet (${names}). Scale it with the tool that created them.`,
    );
  }
  if (owner !== undefined) {
    throw refusal('unsafe', `${managedText(`StatefulSet ${workload.name}`, owner)} Scale it there.`);
  }
  return { ref, workload };
}

/** Throws a UserError where nodes would join or leave in the middle of something else. */
export function refuseUnsound(snapshot: ClusterSnapshot): void {
  refuseIncomplete(snapshot);
  const findings = check(snapshot);
  const handshakes = snapshot.nodes.some(({ view }) =>
    view?.others.some(({ flags }) => flags.includes('handshake')),
  );
  if (isSound(findings) && !handshakes) return;
  const worst = findings.filter((one) => one.severity === 'error' || one.rule === 'open-slots');
  const why =
    worst.length > 0
      ? worst.map((one) => one.message).join(' ')
      : 'Nodes are still being introduced to each other.';
  throw refusal(
    'unsafe',
    `${describeRef(snapshot.ref)} is unhealthy: ${why} Fix this first; “Check Cluster” says how.`,
  );
}
