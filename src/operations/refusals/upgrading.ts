import { bytesText } from '../../model/bytes.ts';
import { quantity } from '../../model/quantity.ts';
import type { ClusterSnapshot, WorkloadFacts } from '../../model/snapshot.ts';
import { bytesOf } from '../manifests/answers.ts';
import { managedText } from '../statefulSets/owner.ts';
import type { UpgradeRequest } from '../rollout/answers.ts';
import type { SetFacts, UpgradeFacts } from '../statefulSets/facts.ts';
import { refusal } from '../servers/nodes.ts';

/** The share of the memory limit that start.sh makes `maxmemory`. */
const maxmemoryShare = 0.7;

/** Throws a UserError where somebody else looks after the StatefulSet, or only renews pods that were deleted. */
export function refuseManaged(set: SetFacts): void {
  if (set.owner !== undefined) {
    throw refusal('unsafe', `${managedText(`StatefulSet ${set.name}`, set.owner)} Make the change there.`);
  }
  if (set.strategy !== 'RollingUpdate') {
    throw refusal(
      'unsafe',
      `StatefulSet ${set.name} has the update strategy ${set.strategy}: its pods are recreated only after you delete them. Set updateStrategy.type to RollingUpdate, or delete the pods yourself after each change.`,
    );
  }
}

/** Throws a UserError where pods could not be renewed one by one, or it is not known where settings are kept. */
export function refuseForeign(workload: WorkloadFacts, { set }: UpgradeFacts, request: UpgradeRequest): void {
  refuseManaged(set);
  if (!workload.bundled && set.claimTemplates.length === 0) {
    throw refusal(
      'unsafe',
      `The pods of StatefulSet ${set.name} have no volumes: a node that restarts comes back empty with another id, and nothing makes it join again.`,
    );
  }
  if (!workload.bundled && Object.keys(request.config ?? {}).length > 0) {
    throw refusal(
      'unsafe',
      `Where StatefulSet ${set.name} keeps its configuration is unknown: it was not created from this product’s manifests. Change the settings with the tool that created it.`,
    );
  }
}

/** Throws a UserError where a change of memory, storage or settings cannot be made. */
export function refuseSizes(
  snapshot: ClusterSnapshot,
  bundled: boolean,
  facts: UpgradeFacts,
  request: UpgradeRequest,
): void {
  const { set } = facts;
  if (request.memory !== undefined && bundled) refuseTooSmall(snapshot, request.memory);
  if (request.storage !== undefined) refuseStorage(facts, request.storage);
  if (Object.keys(request.config ?? {}).length > 0 && facts.redisConf === undefined) {
    const place =
      set.configMap === undefined ? 'no volume "config"' : `no redis.conf in ConfigMap ${set.configMap}`;
    throw refusal('not-found', `StatefulSet ${set.name} has ${place}, so settings cannot be stored.`);
  }
}

function refuseTooSmall({ nodes }: ClusterSnapshot, memory: string): void {
  const room = bytesOf(memory) * maxmemoryShare;
  const fullest = nodes
    .filter((node) => (node.view?.usedMemoryBytes ?? 0) > room)
    .map((node) => `${node.pod?.name ?? node.id} uses ${bytesText(node.view?.usedMemoryBytes ?? 0)}`);
  if (fullest.length === 0) return;
  throw refusal(
    'unsafe',
    `With ${memory} of memory a server has ${bytesText(room)} for keys (70%), but ${fullest.join(', ')}.`,
  );
}

function refuseStorage({ set, claims, growing }: UpgradeFacts, storage: string): void {
  if (set.claimTemplates.length !== 1) {
    throw refusal(
      'unsafe',
      `StatefulSet ${set.name} has ${quantity(set.claimTemplates.length, 'volume')} for each pod; only one can be resized here.`,
    );
  }
  const wanted = bytesOf(storage);
  for (const claim of claims) {
    if (bytesOf(claim.requested) > wanted) {
      throw refusal(
        'unsafe',
        `Volume ${claim.name} has ${claim.requested}; volumes cannot shrink to ${storage}. Deploy a new cluster with smaller volumes and copy the keys there.`,
      );
    }
    const { storageClass = '' } = claim;
    if (bytesOf(claim.requested) < wanted && growing?.includes(storageClass) === false) {
      throw refusal(
        'unsafe',
        `Volume ${claim.name} cannot grow: its StorageClass "${storageClass}" does not allow it (allowVolumeExpansion is not true). Allow it in the class if its provisioner supports it, or deploy a new cluster with larger volumes and copy the keys there.`,
      );
    }
  }
}
