import type { ClusterSnapshot } from '../model/snapshot.ts';
import { mastersOf, nodeName } from '../model/shards.ts';
import type { ClusterDialer } from '../redis/nodeConnection.ts';
import { answers, namesIn, refusal } from './servers/nodes.ts';
import type { Plan } from './plans/plan.ts';
import { refuseIncomplete } from './refusals/refuseIncomplete.ts';
import { makeStep } from './steps/index.ts';
import { lastSaveOf } from './steps/saveKeys.ts';
import { withConnection } from './servers/withConnection.ts';

/** When each master that answers has saved last, in seconds by its own clock. */
export async function readLastSaves(
  { nodes }: ClusterSnapshot,
  dialer: ClusterDialer,
): Promise<ReadonlyMap<string, number>> {
  const masters = nodes.filter((node) => answers(node) && node.role === 'master');
  const saves = masters.map(
    async ({ id }) => [id, await withConnection({ dialer }, id, lastSaveOf)] as const,
  );
  return new Map(await Promise.all(saves));
}

/** Plans to write the keys of all masters to their disks, one after the other. Throws a UserError where one does not answer. */
export function planSaveKeys(snapshot: ClusterSnapshot, lastSaves: ReadonlyMap<string, number>): Plan {
  refuseIncomplete(snapshot);
  const masters = mastersOf(snapshot).filter(({ slots }) => slots.length > 0);
  const steps = masters.map((node) => {
    const before = lastSaves.get(node.id);
    if (before === undefined) throw refusal('unreachable', `${nodeName(node)} does not answer.`);
    return makeStep('saveKeys', { node: node.id, before }, namesIn(snapshot));
  });
  return {
    title: `Save the keys of ${snapshot.name} to disk`,
    ref: snapshot.ref,
    operation: 'saveKeys',
    request: {},
    steps,
    warnings: [
      'While a master saves, it needs memory for what clients change meanwhile. The snapshots are not of the same moment.',
    ],
    losses: [],
  };
}
