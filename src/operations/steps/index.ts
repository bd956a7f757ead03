import type { Plan } from '../plans/plan.ts';
import { applyManifests } from './applyManifests.ts';
import { assignSlots } from './assignSlots.ts';
import { awaitPassword } from './awaitPassword.ts';
import { awaitCluster } from './awaitCluster.ts';
import { bringKeys } from './bringKeys.ts';
import { changeTemplate } from './changeTemplate.ts';
import { checkBackup } from './checkBackup.ts';
import { closeSlots } from './closeSlots.ts';
import { copyFunctions } from './copyFunctions.ts';
import { correctImports } from './correctImports.ts';
import { createPassword } from './createPassword.ts';
import { createUser } from './createUser.ts';
import { deleteObjects } from './deleteObjects.ts';
import { deleteVolumes } from './deleteVolumes.ts';
import { dropOldPassword } from './dropOldPassword.ts';
import { emptyMaster } from './emptyMaster.ts';
import { flush } from './flush.ts';
import { forget } from './forget.ts';
import { formShard } from './formShard.ts';
import { growVolumes } from './growVolumes.ts';
import { introduce } from './introduce.ts';
import { joinReplicas } from './joinReplicas.ts';
import { keepSetting } from './keepSetting.ts';
import { keepUser } from './keepUser.ts';
import { meet } from './meet.ts';
import { moveSlots } from './moveSlots.ts';
import { openPartition } from './openPartition.ts';
import { promote } from './promote.ts';
import { recreatePod } from './recreatePod.ts';
import { replacePassword } from './replacePassword.ts';
import { replacePod } from './replacePod.ts';
import { replicate } from './replicate.ts';
import { resetNode } from './resetNode.ts';
import { restartPod } from './restartPod.ts';
import { restoreKeys } from './restoreKeys.ts';
import { saveKeys } from './saveKeys.ts';
import { setConfig } from './setConfig.ts';
import { setReplicas } from './setReplicas.ts';
import type { NameOf, StepActions, StepData } from './step.ts';
import { waitForPods } from './waitForPods.ts';
import { waitUntilGone } from './waitUntilGone.ts';

/** Every kind of step, in the order in which people are told of them. */
export const stepKinds = {
  moveSlots,
  promote,
  replicate,
  meet,
  introduce,
  formShard,
  forget,
  resetNode,
  copyFunctions,
  setConfig,
  keepSetting,
  createUser,
  keepUser,
  saveKeys,
  checkBackup,
  flush,
  restoreKeys,
  assignSlots,
  correctImports,
  bringKeys,
  closeSlots,
  setReplicas,
  waitForPods,
  joinReplicas,
  replacePod,
  createPassword,
  applyManifests,
  awaitCluster,
  growVolumes,
  changeTemplate,
  recreatePod,
  restartPod,
  openPartition,
  emptyMaster,
  deleteVolumes,
  deleteObjects,
  waitUntilGone,
  replacePassword,
  awaitPassword,
  dropOldPassword,
};

export type StepKind = keyof typeof stepKinds;

export type StepOf<K extends StepKind> = {
  [P in K]: StepData<P, (typeof stepKinds)[P]['fields']>;
}[K];

/** One step of a plan. */
export type Step = StepOf<StepKind>;

export type StepKinds = { readonly [K in StepKind]: StepActions<StepOf<K>> };

/** What its kind says of a step, so that no caller has to know which kind it is. */
export function actionsOf<K extends StepKind>(
  step: StepOf<K>,
  kinds: StepKinds = stepKinds,
): StepActions<StepOf<K>> {
  const kind: K = step.kind;
  return kinds[kind];
}

/**
 * A step of a plan, with the text of its kind.
 * @param note what this plan has to add to the text, which a file does not keep
 */
export function makeStep<K extends StepKind>(
  kind: K,
  fields: Omit<StepOf<K>, 'kind' | 'text'>,
  nameOf: NameOf,
  note?: string,
): StepOf<K> {
  const step = { ...fields, kind, text: '' } as StepOf<K>;
  const text = actionsOf(step).text(step, nameOf);
  return { ...step, text: note === undefined ? text : `${text} (${note})` };
}

/** What steps say that is lost, each thing once. */
export function lossesOf(steps: readonly Step[], nameOf: NameOf): readonly string[] {
  return [...new Set(steps.flatMap((step) => actionsOf(step).loss(step, nameOf) ?? []))];
}

/** Whether all steps of a plan ask by themselves what they need to know, so that no server is read for it. */
export function asksByItself(
  { steps }: { readonly steps: readonly Step[] },
  kinds = stepKinds as StepKinds,
): boolean {
  return steps.every(({ kind }) => kinds[kind].shownBy === 'asking');
}

/** Whether a plan is to be confirmed by a person even where the caller has answered every question. */
export function isDestructive({ steps, losses }: Pick<Plan, 'steps' | 'losses'>): boolean {
  return losses.length > 0 || steps.some((step) => actionsOf(step).destroys(step));
}
