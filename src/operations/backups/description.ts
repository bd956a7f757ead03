import { withInfo } from '../../model/nodeView.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { countSlots, formatSlots } from '../../model/slots.ts';
import type { ShardSource, Sources } from './sources.ts';

/** What is known of one file of a backup once it was written. */
export interface CopiedShard {
  readonly file: string;
  /** The master whose slots these are, and the server that was copied. */
  readonly master: string;
  readonly source: string;
  readonly slots: string;
  readonly configEpoch: number;
  readonly bytes: number;
  readonly sha256: string;
  /** The version of the file's format, and who wrote it. */
  readonly rdbVersion: number;
  readonly product: 'redis' | 'valkey';
  readonly version: string;
  /** Absent where a value was too large to be looked through: it is in the file all the same. */
  readonly keys?: number;
}

/** What `backup.json` says; it is written last, so that a folder without it is no whole backup. */
export interface Backup {
  readonly format: 1;
  readonly cluster: string;
  /** ISO 8601, UTC: when copying began and ended. */
  readonly begunAt: string;
  readonly endedAt: string;
  readonly shards: readonly CopiedShard[];
  /** Slots that are not in it; absent where all are. */
  readonly missingSlots?: string;
}

/** As `redis-cli --cluster backup` names the file of a master. */
export function fileOf({ host, port, id }: RedisNode): string {
  return `redis-node-${host.replaceAll(/[^0-9A-Za-z.-]/g, '-')}-${port}-${id}.rdb`;
}

export function copiedShard(
  { master, source, slots }: ShardSource,
  written: Pick<CopiedShard, 'bytes' | 'sha256' | 'rdbVersion' | 'keys'>,
): CopiedShard {
  const { product = 'redis', version = '' } = withInfo(source.view) ?? {};
  return {
    file: fileOf(master),
    ...{ master: master.id, source: source.id },
    ...{ slots: formatSlots(slots), configEpoch: master.configEpoch },
    ...{ product, version },
    ...written,
  };
}

export function backupText(
  { name }: ClusterSnapshot,
  { missing }: Sources,
  shards: readonly CopiedShard[],
  [begun, ended]: readonly [Date, Date],
): string {
  const backup: Backup = {
    format: 1,
    cluster: name,
    ...{ begunAt: begun.toISOString(), endedAt: ended.toISOString() },
    shards,
    ...(missing.length === 0 ? {} : { missingSlots: formatSlots(missing) }),
  };
  return `${JSON.stringify(backup, null, 2)}\n`;
}

/** `nodes.json`, as `redis-cli --cluster backup` writes it beside the files. */
export function nodesText({ nodes }: ClusterSnapshot): string {
  const entries = nodes.map(({ id, host, port, role, masterId, slots, view }) => ({
    name: id,
    ...{ host, port },
    replicate: masterId ?? null,
    slots,
    slots_count: countSlots(slots),
    flags: role === 'master' ? 'master' : 'slave',
    current_epoch: view?.currentEpoch ?? 0,
  }));
  return `${JSON.stringify(entries, null, 2)}\n`;
}
