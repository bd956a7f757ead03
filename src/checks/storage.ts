import type { Finding } from '../model/finding.ts';
import { quantity } from '../model/quantity.ts';
import { nodeName } from '../model/shards.ts';
import type { RedisNode } from '../model/snapshot.ts';
import { shortList } from '../model/unread.ts';
import type { Rule } from './rule.ts';

/** A server that was just started may save its first snapshot later: an hour is the longest wait of the usual settings. */
const savedWithinSeconds = 3_600;

/** What would lose the keys in a restart, while there is time to change it. */
export const storage: Rule = ({ nodes }) => [...withoutVolume(nodes), ...neverSaved(nodes)];

function withoutVolume(nodes: readonly RedisNode[]): readonly Finding[] {
  const none = nodes.filter(({ pod }) => pod?.storage === 'none');
  const temporary = nodes.filter(({ pod }) => pod?.storage === 'emptyDir');
  const found = {
    rule: 'no-volume',
    remedy: 'Mount a volume of the StatefulSet’s volumeClaimTemplates at the server’s data folder.',
  };
  return [
    ...(none.length === 0
      ? []
      : [
          {
            ...found,
            severity: 'warning' as const,
            message: `${quantity(none.length, 'node')} ${none.length === 1 ? 'keeps' : 'keep'} no data on a volume: keys are lost when all pods restart.`,
            evidence: [`No volume is mounted for the data of ${shortList(none.map(nodeName))}.`],
            nodeIds: none.map(({ id }) => id),
          },
        ]),
    ...(temporary.length === 0
      ? []
      : [
          {
            ...found,
            severity: 'info' as const,
            message: `${quantity(temporary.length, 'node')} ${temporary.length === 1 ? 'keeps its' : 'keep their'} data in an emptyDir: it is deleted with the pod.`,
            evidence: [`emptyDir: ${shortList(temporary.map(nodeName))}.`],
            nodeIds: temporary.map(({ id }) => id),
          },
        ]),
  ];
}

function neverSaved(nodes: readonly RedisNode[]): readonly Finding[] {
  const those = nodes.filter(
    ({ role, view }) =>
      role === 'master' && view?.persistence.neverSaved === true && view.uptimeSeconds >= savedWithinSeconds,
  );
  if (those.length === 0) return [];
  return [
    {
      rule: 'never-saved',
      severity: 'info',
      message: `Keys have never been saved to disk on ${quantity(those.length, 'master')}.`,
      evidence: [
        `INFO persistence reports aof_enabled:0 and rdb_last_bgsave_time_sec:-1 on ${shortList(those.map(nodeName))}.`,
      ],
      remedy: 'To keep the keys over a restart, set appendonly to yes with “Set Configuration…”.',
      nodeIds: those.map(({ id }) => id),
    },
  ];
}
