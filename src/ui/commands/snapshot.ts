import { quantity } from '../../model/quantity.ts';
import { check } from '../../checks/check.ts';
import { formatAddress, type ClusterRef } from '../../model/clusterRef.ts';
import type { Finding } from '../../model/finding.ts';
import type { Outcome } from '../../model/outcome.ts';
import { withInfo } from '../../model/nodeView.ts';
import { shardsOf } from '../../model/shards.ts';
import type { RedisNode, RunningWork } from '../../model/snapshot.ts';
import { countSlots, formatSlots } from '../../model/slots.ts';
import type { Parts } from '../parts.ts';
import { clusterOf } from '../questions/target.ts';

interface NodeJson {
  readonly id: string;
  readonly role: 'master' | 'replica';
  readonly masterId?: string;
  readonly address: string;
  readonly slots: string;
  readonly health: string;
  readonly keys?: number;
  readonly version?: string;
  readonly pod?: string;
  readonly worker?: string;
}

interface ClusterJson {
  readonly ref: ClusterRef;
  readonly name: string;
  readonly takenAt: number;
  readonly nodes: readonly NodeJson[];
  readonly shards: readonly {
    readonly master: string;
    readonly replicas: readonly string[];
    readonly slots: string;
    readonly slotCount: number;
  }[];
  readonly loosePods: readonly string[];
  readonly findings: readonly Finding[];
  readonly running: readonly RunningWork[];
}

/** The cluster as the tree sees it, read afresh, as plain JSON for tasks and tests; from the palette, as a document. */
export async function snapshot(parts: Parts, argument: unknown): Promise<Outcome & { cluster: ClusterJson }> {
  const read = await parts.inventory.look(await clusterOf(parts, argument));
  const work = parts.operations.workOn(read);
  const cluster: ClusterJson = {
    ref: read.ref,
    name: read.name,
    takenAt: read.takenAt,
    nodes: read.nodes.map(nodeJson),
    shards: shardsOf(read).map((shard) => ({
      master: shard.id,
      replicas: shard.replicas.map((node) => node.id),
      slots: formatSlots(shard.slots),
      slotCount: countSlots(shard.slots),
    })),
    loosePods: read.loosePods.map((pod) => pod.name),
    findings: check(read, work),
    running: work.filter(({ ended }) => ended !== true),
  };
  if (argument === undefined) {
    await parts.documents.show(
      `Snapshot – ${parts.inventory.titleOf(read.ref)}`,
      JSON.stringify(cluster, null, 2),
    );
  }
  return { outcome: 'done', message: `${read.name}: ${quantity(read.nodes.length, 'node')}.`, cluster };
}

function nodeJson(node: RedisNode): NodeJson {
  const view = withInfo(node.view);
  return {
    id: node.id,
    role: node.role,
    address: formatAddress(node),
    slots: formatSlots(node.slots),
    health: node.health,
    ...(node.masterId === undefined ? {} : { masterId: node.masterId }),
    ...(view === undefined ? {} : { keys: view.keys, version: view.version }),
    ...(node.pod === undefined ? {} : { pod: node.pod.name }),
    ...(node.pod?.worker === undefined ? {} : { worker: node.pod.worker }),
  };
}
