import { mastersOf } from '../../model/shards.ts';
import type { KubernetesAccess } from '../../kubernetes/kubernetesAccess.ts';
import type { NodeView } from '../../model/nodeView.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { countSlots, eachSlot } from '../../model/slots.ts';
import type { Argument, ClusterDialer } from '../../redis/nodeConnection.ts';
import { answers } from '../servers/nodes.ts';
import { goneMembers } from '../../model/goneMembers.ts';
import { readPodVolumes } from '../statefulSets/scaledDown.ts';
import { withConnection } from '../servers/withConnection.ts';
import type { PossibleOwnerFacts, LooseServer } from './possibleOwners.ts';
import { unservedSlots } from './unserved.ts';

export interface FixRequest {
  /** Nodes that the caller knows to be dead, by node id; for those of which nobody else can ever say it. */
  readonly dead?: readonly string[];
}

/** How many keys each master that answers holds in slots that nobody serves: by node id, then slot; none is absent. */
export type StrayKeys = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** Asks the masters. Changes nothing. Throws where one that answered a moment ago does not any more. */
export async function readStrayKeys(
  snapshot: ClusterSnapshot,
  dialer: ClusterDialer,
  { dead }: FixRequest = {},
): Promise<StrayKeys> {
  const slots = [...eachSlot(unservedSlots(snapshot, dead).slots)];
  const masters = mastersOf(snapshot).filter((node) => answers(node));
  const counts = await Promise.all(
    masters.map(async ({ id }) => [id, await countOn(dialer, id, slots)] as const),
  );
  return new Map(counts);
}

/**
 * Asks the servers in pods that are no members, and Kubernetes for volumes whose pods are gone. Changes nothing.
 * @param readNode a server's own view; rejects where it does not answer
 */
export async function readPossibleOwners(
  snapshot: ClusterSnapshot,
  access: KubernetesAccess,
  readNode: (namespace: string, pod: string, port: number) => Promise<NodeView>,
): Promise<PossibleOwnerFacts> {
  const asked = await Promise.allSettled(
    snapshot.loosePods.map(async ({ namespace, name, port }) => {
      const { keys, self } = await readNode(namespace, name, port);
      return [name, { keys, slots: countSlots(self.slots) }] as const satisfies readonly [
        string,
        LooseServer,
      ];
    }),
  );
  return {
    loose: new Map(asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))),
    volumes: goneMembers(snapshot) === undefined ? [] : await readPodVolumes(access, snapshot),
  };
}

async function countOn(
  dialer: ClusterDialer,
  id: string,
  slots: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  const replies = await withConnection({ dialer }, id, (connection) =>
    connection.pipeline(slots.map((slot): Argument[] => ['CLUSTER', 'COUNTKEYSINSLOT', slot])),
  );
  const refusal = replies.find((reply) => reply instanceof Error);
  if (refusal !== undefined) throw refusal;
  return new Map(
    slots.map((slot, index) => [slot, Number(replies[index])] as const).filter(([, keys]) => keys > 0),
  );
}
