import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { moveNotes } from '../slots/moveOptions.ts';
import type { Plan } from './plan.ts';
import { actionsOf } from '../steps/index.ts';
import { Shell } from '../steps/shell.ts';

/**
 * The plan as commands for a shell, for those who have to do it without this extension. Passwords stand in none of
 * them: redis-cli takes them from REDISCLI_AUTH.
 */
export function redisCliCommands(plan: Plan, snapshot: ClusterSnapshot): string {
  const shell = new Shell(snapshot);
  const lines = plan.steps.flatMap((step) => [
    `# ${step.text.replaceAll(/\s+/g, ' ')}`,
    ...actionsOf(step).command(step, shell),
  ]);
  const notes = moveNotes(plan.steps).map((note) => `# Not done by redis-cli, do it yourself: ${note}`);
  return `${['set -e', ...notes, ...lines].join('\n')}\n`;
}
