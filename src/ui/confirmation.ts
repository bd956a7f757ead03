import { isDestructive, type Plan } from '../model/plan.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import type { Confirmation } from './runOperation.ts';
import type { Answers } from './target.ts';

/**
 * How a plan is confirmed: not at all where the caller says `confirmed`, by the cluster's typed name where something is
 * lost, and by a button where a person was asked for what is done.
 */
export function confirmationOf(
  plan: Plan,
  { name }: ClusterSnapshot,
  answers: Answers,
  isAsked: boolean,
): Confirmation {
  if (answers['confirmed'] === true) return 'none';
  if (plan.losses.length > 0) return { word: name };
  return isAsked || isDestructive(plan) ? 'button' : 'none';
}
