import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { refuseUnread } from '../servers/nodes.ts';
import { refuseDenied } from './refuseDenied.ts';
import { refuseDuplicates } from './refuseDuplicates.ts';
import { refuseApart } from './refuseParts.ts';

/**
 * What every plan that assigns, moves, removes, resets or deletes begins with: throws a UserError where nothing was read
 * of the cluster, where a part of the reading was denied, where two servers run with one node id, or where it has fallen
 * apart and what was read is only a part of it.
 */
export function refuseIncomplete(snapshot: ClusterSnapshot): void {
  refuseUnread(snapshot);
  refuseDenied(snapshot);
  refuseDuplicates(snapshot);
  refuseApart(snapshot);
}
