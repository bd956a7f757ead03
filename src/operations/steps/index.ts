import type { StepKind } from '../../model/plan.ts';
import { assignSlots } from './assignSlots.ts';
import { bringKeys } from './bringKeys.ts';
import { closeSlots } from './closeSlots.ts';
import { copyFunctions } from './copyFunctions.ts';
import { correctImports } from './correctImports.ts';
import { createUser } from './createUser.ts';
import { deleteVolumes } from './deleteVolumes.ts';
import { emptyMaster } from './emptyMaster.ts';
import { flush } from './flush.ts';
import { forget } from './forget.ts';
import { formShard } from './formShard.ts';
import { introduce } from './introduce.ts';
import { keepSetting } from './keepSetting.ts';
import { keepUser } from './keepUser.ts';
import { meet } from './meet.ts';
import { moveSlots } from './moveSlots.ts';
import { promote } from './promote.ts';
import { replacePod } from './replacePod.ts';
import { replicate } from './replicate.ts';
import { resetNode } from './resetNode.ts';
import { setConfig } from './setConfig.ts';
import { setReplicas } from './setReplicas.ts';
import type { StepRun } from './step.ts';
import { waitForPods } from './waitForPods.ts';

/** How each kind of step is run. Kinds that are missing are run by their operation itself. */
export type StepRuns = { readonly [K in StepKind]?: StepRun<K> };

export const stepRuns: StepRuns = {
  assignSlots,
  bringKeys,
  closeSlots,
  copyFunctions,
  correctImports,
  createUser,
  deleteVolumes,
  emptyMaster,
  flush,
  forget,
  formShard,
  introduce,
  keepSetting,
  keepUser,
  meet,
  moveSlots,
  promote,
  replacePod,
  replicate,
  resetNode,
  setConfig,
  setReplicas,
  waitForPods,
};
