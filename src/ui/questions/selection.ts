import { clusterKey, type ClusterRef } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { Parts } from '../parts.ts';
import { rowTarget } from './target.ts';

/** Commands that several rows can be selected for, as package.json offers them: one run for each row. */
const oneRunEach: ReadonlySet<string> = new Set(['openRedisCli', 'showLogs', 'removeAddress', 'dismiss']);
/** The answers that several selected nodes of one cluster are to a command, which then runs once. */
const together: Readonly<Record<string, (cluster: ClusterRef, nodes: readonly string[]) => object>> = {
  copy: (cluster, nodes) => ({ cluster, node: nodes }),
  reshard: (cluster, nodes) => ({ cluster, from: nodes, ask: true }),
};

/**
 * The argument of each run of a command that was started from a row.
 * @param selected what VS Code adds to the row: all rows that are selected with it
 * @throws UserError where the command cannot be run for all of them
 */
export function argumentsOf(
  parts: Parts,
  name: string,
  argument: unknown,
  selected: unknown,
): readonly unknown[] {
  if (!Array.isArray(selected) || selected.length < 2) return [argument];
  if (oneRunEach.has(name)) return selected;
  const asAnswers = together[name];
  if (asAnswers === undefined)
    throw new UserError('invalid-input', 'This command works on one row. Select only one.');
  const nodes = selected.flatMap((row) => {
    const target = rowTarget(parts, row);
    return target?.kind === 'node' ? [target] : [];
  });
  const [first] = nodes;
  if (first === undefined || nodes.length < selected.length)
    throw new UserError('invalid-input', 'Select either one row, or only Redis nodes.');
  if (new Set(nodes.map(({ ref }) => clusterKey(ref))).size > 1)
    throw new UserError('invalid-input', 'Select nodes of one cluster only.');
  return [asAnswers(first.ref, [...new Set(nodes.map(({ nodeId }) => nodeId))])];
}
