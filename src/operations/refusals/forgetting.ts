import { formatAddress } from '../../model/clusterRef.ts';
import { isLastCopy, isOutOfTouch, linesAbout } from '../../model/goneMembers.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { formatSlots } from '../../model/slots.ts';
import { answers, refusal, replicasOf } from '../servers/nodes.ts';

/** Throws a UserError where forgetting the node would lose slots, or leave replicas without their master. */
export function refuseNeeded(snapshot: ClusterSnapshot, id: string): void {
  const node = snapshot.nodes.find((other) => other.id === id);
  const name = ghostName(snapshot, id);
  const slots = node?.slots ?? [];
  if (slots.length > 0) {
    throw refusal(
      'unsafe',
      `${name} owns slots ${formatSlots(slots)}, which would no longer be served. Promote one of its replicas, or move the slots away first.`,
    );
  }
  if (isLastCopy(snapshot, id)) {
    throw refusal(
      'unsafe',
      `${name} may have the last copy of the slots of its master, which does not answer either. Start one of the two again, or assign the slots with “Fix Uncovered Slots…” first if both are lost.`,
    );
  }
  const followers = replicasOf(snapshot, id);
  if (followers.length > 0) {
    throw refusal(
      'unsafe',
      `${followers.map(nodeName).join(', ')} replicate ${name}. Move them to another master first.`,
    );
  }
}

/** Throws a UserError where nobody knows the node, or where others are in touch with it though it does not answer here. */
export function refuseLinked(snapshot: ClusterSnapshot, id: string): void {
  const node = snapshot.nodes.find((other) => other.id === id);
  const lines = linesAbout(snapshot, id);
  if (node === undefined && lines.length === 0) {
    throw refusal('not-found', `No node of ${snapshot.name} knows a node ${id}.`);
  }
  if (answers(node)) return;
  if (isOutOfTouch(snapshot, id)) return;
  throw refusal(
    'unsafe',
    `${ghostName(snapshot, id)} does not answer here, but other nodes are connected to it: it is running and would rejoin at once.`,
  );
}

/** How messages call a node that may be known by what its peers say only. */
function ghostName(snapshot: ClusterSnapshot, id: string): string {
  const node = snapshot.nodes.find((other) => other.id === id);
  if (node !== undefined) return nodeName(node);
  const line = snapshot.unknownNodes.find((other) => other.id === id);
  if (line === undefined || line.host === '') return `Node ${id.slice(0, 8)}`;
  return `${formatAddress(line)} (${id.slice(0, 8)})`;
}
