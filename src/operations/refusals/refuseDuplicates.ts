import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { refusal } from '../servers/nodes.ts';

/**
 * Throws a UserError `unsafe` where several servers run with the same node id: a command for that node would reach one of
 * them, and nothing tells whether it is the member.
 */
export function refuseDuplicates({ duplicateIds = [] }: ClusterSnapshot): void {
  const [first] = duplicateIds;
  if (first === undefined) return;
  throw refusal(
    'unsafe',
    `${first.servers.join(' and ')} run with the same node id ${first.id}: a change could reach the wrong server. Stop the one that is a copy first; without its nodes.conf it starts with an id of its own.`,
  );
}
