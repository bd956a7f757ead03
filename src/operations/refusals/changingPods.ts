import { check, isSound } from '../../checks/check.ts';
import { describeRef, isKubernetesRef, type KubernetesClusterRef } from '../../model/clusterRef.ts';
import type { ClusterSnapshot, WorkloadFacts } from '../../model/snapshot.ts';
import { refusal } from '../servers/nodes.ts';

const elsewhere = {
  Scale: 'Start more servers there, and join them with “Add Shard…”.',
  Upgrade: 'Upgrade its servers where they run.',
};

/** The one StatefulSet a cluster runs in. Throws a UserError where there is none, or several. */
export function onlyStatefulSet(
  { ref, workloads }: Pick<ClusterSnapshot, 'ref' | 'workloads'>,
  verb: keyof typeof elsewhere,
): { readonly ref: KubernetesClusterRef; readonly workload: WorkloadFacts } {
  const where = describeRef(ref);
  if (!isKubernetesRef(ref))
    throw refusal('invalid-input', `${where} is not in Kubernetes. ${elsewhere[verb]}`);
  const [workload, ...others] = workloads;
  if (workload === undefined) throw refusal('not-found', `${where} has no StatefulSet.`);
  if (others.length === 0 && workload.kind === 'StatefulSet') return { ref, workload };
  const names = workloads.map(({ name }) => name).join(', ');
  throw refusal(
    'unsafe',
    `${where} does not run in one StatefulSet (${names}). ${verb} it with the tool that created it.`,
  );
}

/** Throws a UserError where a change would meet a cluster that is not well already. */
export function refuseUnhealthy(snapshot: ClusterSnapshot, findings = check(snapshot)): void {
  if (isSound(findings)) return;
  const worst = findings.filter((one) => one.severity === 'error' || one.rule === 'open-slots');
  throw refusal(
    'unsafe',
    `${describeRef(snapshot.ref)} is unhealthy: ${worst.map((one) => one.message).join(' ')} Fix this first; “Check Cluster” says how.`,
  );
}
