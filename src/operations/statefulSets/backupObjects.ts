import type { KubernetesAccess } from '../../kubernetes/kubernetesAccess.ts';
import type { KubernetesClusterRef } from '../../model/clusterRef.ts';
import { backupLabels } from '../../model/scheduledBackups.ts';
import { instanceLabel } from '../manifests/render.ts';
import type { OwnedObject } from './clusterObjects.ts';

const kinds = [
  ['CronJob', 'batch/v1'],
  ['ConfigMap', 'v1'],
  ['NetworkPolicy', 'networking.k8s.io/v1'],
  ['ServiceAccount', 'v1'],
] as const;

/** What the schedule of a cluster's backups consists of. Its Jobs go with the CronJob, which owns them. */
interface BackupObjects {
  /** What makes pods comes first. */
  readonly objects: readonly OwnedObject[];
  /** The names of the volumes with backups: no plan deletes these. */
  readonly claims: readonly string[];
}

export async function findBackupObjects(
  access: Pick<KubernetesAccess, 'list'>,
  { namespace, name }: KubernetesClusterRef,
): Promise<BackupObjects> {
  const labels = Object.entries({ ...backupLabels, [instanceLabel]: name });
  const selector = labels.map(([label, value]) => `${label}=${value}`).join(',');
  const lists = await Promise.all(
    kinds.map(async ([kind, apiVersion]) => {
      const found = await access.list(apiVersion, kind, namespace, selector);
      return found.map(({ metadata }): OwnedObject => ({
        kind,
        name: metadata.name,
        uid: metadata.uid ?? '',
      }));
    }),
  );
  const claims = await access.list('v1', 'PersistentVolumeClaim', namespace, selector);
  return { objects: lists.flat(), claims: claims.map(({ metadata }) => metadata.name) };
}
