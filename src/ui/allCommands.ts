import type { Outcome } from '../model/outcome.ts';
import { addByAddress } from './commands/addByAddress.ts';
import { addShard } from './commands/addShard.ts';
import { backup } from './commands/backup.ts';
import { cancelOperation } from './commands/cancelOperation.ts';
import { check } from './commands/check.ts';
import { cloneCluster } from './commands/cloneCluster.ts';
import { copy } from './commands/copy.ts';
import { copyPlan } from './commands/copyPlan.ts';
import { createOperatorUser } from './commands/createOperatorUser.ts';
import { deleteCluster } from './commands/delete.ts';
import { deploy } from './commands/deploy.ts';
import { dismiss } from './commands/dismiss.ts';
import { dryRunPlan } from './commands/dryRunPlan.ts';
import { exportManifests } from './commands/exportManifests.ts';
import { fix } from './commands/fix.ts';
import { flush } from './commands/flush.ts';
import { forget } from './commands/forget.ts';
import { form } from './commands/form.ts';
import { goToKey } from './commands/goToKey.ts';
import { goToNode } from './commands/goToNode.ts';
import { groupBy } from './commands/groupBy.ts';
import { heal } from './commands/heal.ts';
import { moveMastersOff } from './commands/moveMastersOff.ts';
import { openRedisCli } from './commands/openRedisCli.ts';
import { openSettings } from './commands/openSettings.ts';
import { openSlotMap } from './commands/openSlotMap.ts';
import { promote } from './commands/promote.ts';
import { reachNodes } from './commands/reachNodes.ts';
import { rebalance } from './commands/rebalance.ts';
import { refresh } from './commands/refresh.ts';
import { rehearseRestore } from './commands/rehearseRestore.ts';
import { removeAddress } from './commands/removeAddress.ts';
import { removeShard } from './commands/removeShard.ts';
import { repair } from './commands/repair.ts';
import { replacePod } from './commands/replacePod.ts';
import { replicate } from './commands/replicate.ts';
import { reshard } from './commands/reshard.ts';
import { reshardSandbox } from './commands/reshardSandbox.ts';
import { restore } from './commands/restore.ts';
import { resume } from './commands/resume.ts';
import { rollingRestart } from './commands/rollingRestart.ts';
import { rotatePassword } from './commands/rotatePassword.ts';
import { runPlan } from './commands/runPlan.ts';
import { saveKeys } from './commands/saveKeys.ts';
import { scale } from './commands/scale.ts';
import { scheduleBackup } from './commands/scheduleBackup.ts';
import { setConfig } from './commands/setConfig.ts';
import { showInStatusBar } from './commands/showInStatusBar.ts';
import { showLogs } from './commands/showLogs.ts';
import { showUnfinished } from './commands/showUnfinished.ts';
import { signIn } from './commands/signIn.ts';
import { signOut } from './commands/signOut.ts';
import { snapshot } from './commands/snapshot.ts';
import { startSandbox } from './commands/startSandbox.ts';
import { stopSandbox } from './commands/stopSandbox.ts';
import { upgrade } from './commands/upgrade.ts';
import type { Parts } from './parts.ts';

/** A command: its argument is a tree row, an object with the answers, or nothing; its result is plain JSON. */
export type Command = (parts: Parts, argument: unknown) => Promise<Outcome>;

/** Every contributed command by the last word of its id, which is also its file's name. */
export const commands: Readonly<Record<string, Command>> = {
  addByAddress,
  addShard,
  backup,
  cancelOperation,
  check,
  cloneCluster,
  copy,
  copyPlan,
  createOperatorUser,
  delete: deleteCluster,
  deploy,
  dismiss,
  dryRunPlan,
  exportManifests,
  fix,
  flush,
  forget,
  form,
  goToKey,
  goToNode,
  groupBy,
  heal,
  moveMastersOff,
  openRedisCli,
  openSettings,
  openSlotMap,
  promote,
  reachNodes,
  rebalance,
  refresh,
  rehearseRestore,
  removeAddress,
  removeShard,
  repair,
  replacePod,
  replicate,
  reshard,
  reshardSandbox,
  restore,
  resume,
  rollingRestart,
  rotatePassword,
  runPlan,
  saveKeys,
  scale,
  scheduleBackup,
  setConfig,
  showInStatusBar,
  showLogs,
  showUnfinished,
  signIn,
  signOut,
  snapshot,
  startSandbox,
  stopSandbox,
  upgrade,
};

export { closeLogs } from './commands/showLogs.ts';
export { offer } from './run/unfinished.ts';
