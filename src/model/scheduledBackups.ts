/** The labels of all objects of the component that backs up, beside the one that names the cluster. */
export const backupLabels = {
  'app.kubernetes.io/name': 'redis-cluster-backup',
  'app.kubernetes.io/component': 'backup',
} as const;
