import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { shortList } from '../../model/unread.ts';
import { refusal } from '../servers/nodes.ts';

/**
 * Throws a UserError where a server denied a part of the reading: how many keys it holds and whether it copies its master
 * are then no facts, and no change may rest on them.
 */
export function refuseDenied({ nodes }: Pick<ClusterSnapshot, 'nodes'>): void {
  const commands = new Set(
    nodes.flatMap(({ view }) => (view?.denied ?? []).map(({ command, says }) => `${command} (${says})`)),
  );
  if (commands.size === 0) return;
  throw refusal(
    'forbidden',
    `The user may not run ${shortList([...commands])}, which every change requires. Sign in as another user with “Sign In…”.`,
  );
}
