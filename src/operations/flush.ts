import { quantity } from '../model/quantity.ts';
import { describeRef } from '../model/clusterRef.ts';
import type { Plan } from './plans/plan.ts';
import { mastersOf, nodeName } from '../model/shards.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import { answers, namesIn, refusal } from './servers/nodes.ts';
import { refuseIncomplete } from './refusals/refuseIncomplete.ts';
import { makeStep } from './steps/index.ts';

/** Plans to delete every key. Throws a UserError where a master that holds keys cannot be told. */
export function planFlush(snapshot: ClusterSnapshot): Plan {
  refuseIncomplete(snapshot);
  const masters = mastersOf(snapshot);
  const silent = masters.filter((node) => !answers(node));
  if (silent.length > 0) {
    throw refusal(
      'unreachable',
      `${silent.map(nodeName).join(', ')} does not answer, and would keep its keys.`,
    );
  }
  const keys = masters.reduce((sum, { view }) => sum + (view?.keys ?? 0), 0);
  if (keys === 0) throw refusal('nothing-to-do', `${describeRef(snapshot.ref)} holds no keys.`);
  const those = masters.filter(({ view }) => (view?.keys ?? 0) > 0);
  return {
    title: `Flush ${describeRef(snapshot.ref)}`,
    ref: snapshot.ref,
    operation: 'flush',
    request: {},
    steps: [
      makeStep(
        'flush',
        { nodes: those.map(({ id }) => id) },
        namesIn(snapshot),
        those.map(({ view }) => quantity(view?.keys ?? 0, 'key')).join(', '),
      ),
    ],
    warnings: ['Keys that clients write afterwards are kept.'],
    losses: [
      `All ${quantity(keys, 'key')} of ${describeRef(snapshot.ref)} are permanently deleted, on its masters and their replicas.`,
    ],
  };
}
