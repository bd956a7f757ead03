import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { nameOf, refusal } from '../servers/nodes.ts';

/**
 * Throws a UserError `unsafe` where another node answers at the address that a node announces: servers connect to each
 * other by that address, so keys that are moved there and copies that are made from there would be another cluster's.
 */
export function refuseImpostor(snapshot: ClusterSnapshot, id: string): void {
  const found = snapshot.impostors.find(({ listedId }) => listedId === id);
  if (found === undefined) return;
  const name = nameOf(snapshot, id);
  throw refusal(
    'unsafe',
    `The servers reach ${name} at ${found.address}, but node ${found.answeringId} answers there: keys could be sent to the wrong server. Correct what ${name} announces (cluster-announce-ip, cluster-announce-port) first.`,
  );
}
