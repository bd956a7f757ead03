/** What people call the commands that change a cluster: the titles of package.json, as a test compares. */
const names: Readonly<Record<string, string>> = {
  addShard: 'Add Shard',
  createOperatorUser: 'Create Operator User',
  delete: 'Delete Cluster',
  deploy: 'Deploy Cluster',
  fix: 'Fix Uncovered Slots',
  flush: 'Flush Cluster',
  forget: 'Forget Node',
  form: 'Form Cluster',
  heal: 'Heal Cluster',
  moveMastersOff: 'Move Masters off a Node',
  promote: 'Promote Replica',
  rebalance: 'Rebalance',
  removeShard: 'Remove Shard',
  replacePod: 'Replace Terminated Pods',
  replicate: 'Move or Spread Replicas',
  reshard: 'Reshard',
  restore: 'Restore Backup',
  rollingRestart: 'Rolling Restart',
  rotatePassword: 'Rotate Password',
  saveKeys: 'Save Keys to Disk',
  scale: 'Scale',
  scheduleBackup: 'Schedule Backups',
  setConfig: 'Set Configuration',
  upgrade: 'Upgrade Image or Configuration',
};

/** The title of a command by its id without `redisCluster.`; undefined where it is no such command. */
export function commandName(operation: string | undefined): string | undefined {
  return operation === undefined ? undefined : names[operation];
}
