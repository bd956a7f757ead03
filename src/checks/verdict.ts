import type { Finding, Severity } from '../model/finding.ts';
import { quantity } from '../model/quantity.ts';
import { uncoveredSlots } from '../model/shards.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import { isUnread, whyUnread } from '../model/unread.ts';
import { isSound } from './check.ts';

/** What a check found, in one sentence for people who do not read the findings. */
export function verdictText(snapshot: ClusterSnapshot, findings: readonly Finding[]): string {
  const { name } = snapshot;
  if (isUnread(snapshot)) return `${name} cannot be read: ${whyUnread(snapshot)}.`;
  if (findings.length === 0) return `${name} is healthy: nothing found.`;
  const counts = countsText(findings);
  if (isSound(findings) && uncoveredSlots(snapshot).length > 0) {
    return `${name} does not serve all slots yet: ${counts}.`;
  }
  return isSound(findings) ? `${name} serves all slots, with ${counts}.` : `${name} is unhealthy: ${counts}.`;
}

const nouns: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'note' };

function countsText(findings: readonly Finding[]): string {
  return (['error', 'warning', 'info'] as const)
    .map((severity) => ({ severity, count: findings.filter((one) => one.severity === severity).length }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => quantity(count, nouns[severity]))
    .join(', ');
}
