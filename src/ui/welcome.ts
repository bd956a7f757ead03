import { UserError } from '../model/errors.ts';
import type { ContextState } from '../inventory/contextReading.ts';
import type { TreeState } from './tree/rows.ts';

/** Why no cluster is in the tree: each has a text with a button, in the tree's place or below the contexts. */
export type WelcomeState =
  | 'noKubeconfig'
  | 'badKubeconfig'
  | 'collapsed'
  | 'reading'
  | 'signIn'
  | 'forbidden'
  | 'unreachable'
  | 'failed'
  | 'nothing';

/**
 * Undefined where a cluster is listed.
 * @param isExpanded whether a context's row is, so that it is read
 */
export function welcomeOf(
  {
    contexts,
    addressClusters,
    kubeconfigProblems,
  }: Pick<TreeState, 'contexts' | 'addressClusters' | 'kubeconfigProblems'>,
  isExpanded: (context: string) => boolean,
): WelcomeState | undefined {
  const hasClusters = contexts.some(({ scopes }) => scopes.some(({ clusters }) => clusters.length > 0));
  if (addressClusters.length > 0 || hasClusters) return undefined;
  if (contexts.length === 0) return kubeconfigProblems.length > 0 ? 'badKubeconfig' : 'noKubeconfig';
  const expanded = contexts.filter(({ name }) => isExpanded(name));
  if (expanded.length === 0) return 'collapsed';
  if (expanded.some(({ status }) => status === 'reading' || status === 'idle')) return 'reading';
  const failed = expanded.find(({ status }) => status === 'failed');
  return failed === undefined ? 'nothing' : reasonOf(failed);
}

function reasonOf({ problem }: ContextState): WelcomeState {
  if (!(problem instanceof UserError)) return 'failed';
  if (problem.reason === 'sign-in-needed') return 'signIn';
  if (problem.reason === 'forbidden' || problem.reason === 'unreachable') return problem.reason;
  return 'failed';
}
