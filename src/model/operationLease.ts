import type { KubernetesClusterRef } from './clusterRef.ts';

/** The API group of Leases (https://kubernetes.io/docs/concepts/architecture/leases/). */
export const leaseGroup = 'coordination.k8s.io';
export const leaseVersion = `${leaseGroup}/v1`;
/** The plan's title. */
export const titleAnnotation = 'redis-cluster/operation';
/** The command that planned it. */
export const commandAnnotation = 'redis-cluster/command';
/** Marks the Leases of operations, so that those of one namespace are listed alone. */
export const leaseLabel = 'redis-cluster/lease';
export const leaseLabelValue = 'operation';
/** How long a claim holds unless it is renewed; seconds. */
export const leaseSeconds = 30;

/** What operations read and write of a Lease. */
export interface OperationLease {
  readonly metadata: {
    readonly name: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly resourceVersion?: string;
  };
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly renewTime?: string;
  };
}

/** The name of a cluster's Lease. A cluster of several StatefulSets may be shown by a name that no object could have. */
export function leaseName({ name }: Pick<KubernetesClusterRef, 'name'>): string {
  return `redis-cluster-${name.toLowerCase().replaceAll(/[^a-z0-9.-]+/g, '-')}-operation`;
}
