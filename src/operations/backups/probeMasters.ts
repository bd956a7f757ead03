import { keySlot } from '../../model/keySlot.ts';
import { pause } from '../../model/pause.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { hasSlot } from '../../model/slots.ts';
import type * as redisEntry from '../../redis/entry.ts';
import type { ClusterDialer } from '../../redis/nodeConnection.ts';
import { refusal } from '../servers/nodes.ts';
import { withConnection } from '../servers/withConnection.ts';
import type { BackupFiles } from './readBackup.ts';
import { bytesFor, receiversIn, roomText } from '../refusals/restoring.ts';

/** By so many keys of the backup a master is asked what of it is there already. */
const mostAsked = 500;

interface ProbePorts {
  readonly dialer: ClusterDialer;
  readonly redis: Pick<typeof redisEntry, 'probeRestore' | 'readFreeMemory' | 'readsOf' | 'versionFor'>;
}

/**
 * Asks each master, without changing anything, whether it takes keys of a backup: RESTORE with no value is refused for
 * what is in the way, or for having no value. Throws a UserError with the server's words, and where the keys that are
 * not there yet do not fit beside those that are.
 * @param keepsKeys keys that the cluster holds stay; otherwise they are deleted first, and a full server is none
 */
export async function probeMasters(
  snapshot: ClusterSnapshot,
  backup: BackupFiles,
  keepsKeys: boolean,
  ports: ProbePorts,
): Promise<void> {
  const sample = backup.files.flatMap(({ scanned }) => scanned.someKeys);
  await Promise.all(
    receiversIn(snapshot).map(async (node) => {
      const keys = sample.filter((key) => hasSlot(node.slots, keySlot(key))).slice(0, mostAsked);
      const [first] = keys;
      if (first === undefined) return;
      await withConnection(ports, node.id, async (connection) => {
        const free = await ports.redis.readFreeMemory(connection, pause);
        const why = await ports.redis.probeRestore(connection, first, versionsFor(node, backup, ports));
        if (why !== undefined && (keepsKeys || !why.startsWith('OOM')))
          throw refusal('unsafe', `${nodeName(node)} takes no keys: ${why}`);
        if (!keepsKeys || free === undefined) return;
        const found = await connection.pipeline(keys.map((key) => ['PTTL', key]));
        const absent = found.filter((milliseconds) => milliseconds === -2).length / keys.length;
        const needed = bytesFor(node, backup) * absent;
        if (needed > free) throw refusal('unsafe', `${roomText(node, needed, free)} Raise maxmemory first.`);
      });
    }),
  );
}

/** The versions of the format by which a master will be handed values. */
function versionsFor(
  { view }: RedisNode,
  { files }: BackupFiles,
  { redis }: ProbePorts,
): ReadonlySet<number> {
  if (view === undefined) return new Set();
  const reads = redis.readsOf(view.product, view.version);
  return new Set(
    files.flatMap(({ scanned: { types, family } }) =>
      [...types].flatMap((type) => redis.versionFor(type, family, reads) ?? []),
    ),
  );
}
