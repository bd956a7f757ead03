import { bytesText } from '../../model/bytes.ts';
import { withInfo } from '../../model/nodeView.ts';
import { failedSlots, mastersOf, nodeName, slotsText, uncoveredSlots } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { eachSlot, formatSlots, unionSlots } from '../../model/slots.ts';
import type * as redisEntry from '../../redis/entry.ts';
import { answers, refusal, withOpenSlots } from '../servers/nodes.ts';
import type { BackupFiles } from '../backups/readBackup.ts';

type Versions = Pick<typeof redisEntry, 'readsOf' | 'versionFor'>;

/** The masters that are given keys. */
export function receiversIn(snapshot: ClusterSnapshot): readonly RedisNode[] {
  return mastersOf(snapshot).filter(({ slots }) => slots.length > 0);
}

/** Throws a UserError where there is something for which the keys of a backup cannot be written into a cluster now. */
export function refuseRestore(snapshot: ClusterSnapshot, backup: BackupFiles, redis: Versions): void {
  refuseUnserved(snapshot);
  refuseUnreadable(snapshot, backup, redis);
  refuseUnwritten(snapshot);
  refuseNoRoom(snapshot, backup);
}

/** Throws a UserError where slots are not served, or are being moved. */
export function refuseUnserved(snapshot: ClusterSnapshot): void {
  const silent = receiversIn(snapshot).filter((node) => !answers(node));
  const unserved = unionSlots(
    uncoveredSlots(snapshot),
    failedSlots(snapshot),
    ...silent.map(({ slots }) => slots),
  );
  if (unserved.length > 0) {
    throw refusal(
      'unsafe',
      `${slotsText(unserved)} (${formatSlots(unserved)}) of ${snapshot.name} are not served. Repair the cluster first.`,
    );
  }
  const open = withOpenSlots(snapshot);
  if (open.length === 0) return;
  throw refusal(
    'unsafe',
    `Slots of ${snapshot.name} are being moved (${open.map(nodeName).join(', ')}). Wait until that ends, or heal the cluster.`,
  );
}

function refuseUnreadable(
  snapshot: ClusterSnapshot,
  { files }: BackupFiles,
  { readsOf, versionFor }: Versions,
): void {
  for (const { view, ...node } of receiversIn(snapshot)) {
    if (view === undefined) continue;
    const reads = readsOf(view.product, view.version);
    for (const { file, scanned } of files) {
      const unknown = [...scanned.types].filter(
        (type) => versionFor(type, scanned.family, reads) === undefined,
      );
      if (unknown.length === 0) continue;
      const own = `${view.product === 'valkey' ? 'Valkey' : 'Redis'} ${view.version}`;
      throw refusal(
        'unsafe',
        `${file} holds values that ${own} (${nodeName(node)}) does not know (${unknown.map((type) => `type ${type}`).join(', ')}). Restore into servers as new as those that wrote it.`,
      );
    }
  }
}

/** A server refuses all writes while it cannot put on disk what it should. */
function refuseUnwritten(snapshot: ClusterSnapshot): void {
  const failing = receiversIn(snapshot).filter(
    ({ view }) => withInfo(view)?.persistence.appendOnlyWritten === false,
  );
  if (failing.length === 0) return;
  throw refusal(
    'unsafe',
    `${failing.map(nodeName).join(', ')} cannot write to disk (append-only file) and refuses writes. Make room on the volume first.`,
  );
}

/** By what is certain: keys that are there already may be keys of the backup, so they are not added. */
function refuseNoRoom(snapshot: ClusterSnapshot, backup: BackupFiles): void {
  const full = receiversIn(snapshot).flatMap((node) => {
    const limit = withInfo(node.view)?.maxMemoryBytes ?? 0;
    const needed = bytesFor(node, backup);
    return limit === 0 || needed <= limit ? [] : [roomText(node, needed, limit)];
  });
  if (full.length === 0) return;
  throw refusal('unsafe', `${full.join(' ')} Raise maxmemory, or restore into more masters.`);
}

/** At least so much memory the keys of a backup take at a master: what is packed in the file, and hash tables, take more. */
export function bytesFor({ slots }: RedisNode, { files }: BackupFiles): number {
  let bytes = 0;
  for (const slot of eachSlot(slots))
    for (const { scanned } of files) bytes += scanned.bytesBySlot[slot] ?? 0;
  return bytes;
}

export function roomText(node: RedisNode, needed: number, free: number): string {
  const policy = withInfo(node.view)?.evictionPolicy ?? 'noeviction';
  const then = policy === 'noeviction' ? '' : ` It would evict keys to make room (${policy}).`;
  return `The keys for ${nodeName(node)} take at least ${bytesText(needed)}, and it has ${bytesText(free)} for them (maxmemory).${then}`;
}
