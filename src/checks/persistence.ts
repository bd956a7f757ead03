import type { Finding } from '../model/finding.ts';
import { nodeName } from '../model/shards.ts';
import type { RedisNode } from '../model/snapshot.ts';
import type { Rule } from './rule.ts';

/** Servers that cannot put their data on disk, mostly because the volume is full. */
export const persistence: Rule = (snapshot) => snapshot.nodes.flatMap(ofNode);

function ofNode(node: RedisNode): readonly Finding[] {
  const persisted = node.view?.persistence;
  if (persisted === undefined) return [];
  const found = { rule: 'persistence', nodeIds: [node.id] };
  if (!persisted.appendOnlyWritten) {
    const refuses = node.role === 'master' ? ' refuses writes: it' : '';
    return [
      {
        ...found,
        severity: 'error',
        message: `${nodeName(node)}${refuses} cannot write its append-only file.`,
        evidence: ['INFO persistence reports aof_last_write_status:err'],
        remedy:
          'Free space on its volume, or enlarge the volume; the server retries every second. Its log says why. Other shards are not affected.',
      },
    ];
  }
  const failed = [
    ...(persisted.appendOnlyRewritten ? [] : ['aof_last_bgrewrite_status:err']),
    ...(persisted.snapshotSaved ? [] : ['rdb_last_bgsave_status:err']),
  ];
  if (failed.length === 0) return [];
  return [
    {
      ...found,
      severity: 'warning',
      message: `${nodeName(node)} could not write a copy of its data to disk.${refusing(node)}`,
      evidence: failed.map((field) => `INFO persistence reports ${field}`),
      remedy: 'See its log: usually its volume is full, or there is not enough memory for a second process.',
    },
  ];
}

/** What the server refuses depends on settings that INFO does not show. */
function refusing({ role, view }: RedisNode): string {
  if (role !== 'master' || view?.persistence.snapshotSaved !== false) return '';
  return ' It refuses writes (MISCONF) until it can, unless stop-writes-on-bgsave-error is off or “save” is empty.';
}
