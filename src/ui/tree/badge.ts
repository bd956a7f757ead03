import { quantity } from '../../model/quantity.ts';
import type { ClusterHealth } from '../health/clusterHealth.ts';

/** What stands on the view's icon, with one line for each cluster in its tooltip. */
interface Badge {
  readonly value: number;
  readonly tooltip: string;
}

/** How many problems there are, or else how many operations run; undefined where there is neither. */
export function badgeOf(running: number, healths: readonly ClusterHealth[]): Badge | undefined {
  const unhealthy = healths.filter(({ problems }) => problems.length > 0);
  const problems = unhealthy.reduce((sum, health) => sum + health.problems.length, 0);
  if (running + problems === 0) return undefined;
  const lines = [
    ...unhealthy.map(problemText),
    ...(running === 0 ? [] : [`${quantity(running, 'operation')} running`]),
  ];
  return { value: problems === 0 ? running : problems, tooltip: lines.join('\n') };
}

function problemText({ name, problems }: ClusterHealth): string {
  const more = problems.length > 1 ? ` (${problems.length - 1} more)` : '';
  return `${name}: ${problems[0]?.message ?? ''}${more}`;
}
