import { quantity } from '../model/quantity.ts';
import { impactText, survivability } from '../checks/survivability.ts';
import { describeRef } from '../model/clusterRef.ts';
import type { Plan } from './plans/plan.ts';
import { makeStep, type Step } from './steps/index.ts';
import { mastersOf, nodeName, slotsText } from '../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../model/snapshot.ts';
import { answers, isInTouch, namesIn, refusal, replicasOf } from './servers/nodes.ts';
import { refuseIncomplete } from './refusals/refuseIncomplete.ts';

export interface MoveMastersOffRequest {
  /** The Kubernetes node that is to be drained. */
  readonly worker: string;
}

/** The zone of each worker, where Kubernetes says it. */
export interface PlaceFacts {
  readonly zones?: ReadonlyMap<string, string>;
}

/** Plans a hand-over for each master on a worker. Throws a UserError where there is none, or none that can move. */
export function planMoveMastersOff(
  snapshot: ClusterSnapshot,
  request: MoveMastersOffRequest,
  { zones }: PlaceFacts = {},
): Plan {
  refuseIncomplete(snapshot);
  const { worker } = request;
  const workers = new Set(snapshot.nodes.flatMap(({ pod }) => pod?.worker ?? []));
  if (!workers.has(worker)) {
    const there = workers.size === 0 ? 'no known Kubernetes node' : [...workers].sort().join(', ');
    throw refusal(
      'not-found',
      `${describeRef(snapshot.ref)} has no Redis node on Kubernetes node “${worker}”; it runs on ${there}.`,
    );
  }
  const masters = mastersOf(snapshot).filter((node) => node.slots.length > 0);
  const there = masters.filter((node) => node.pod?.worker === worker);
  if (there.length === 0)
    throw refusal('nothing-to-do', `No master with slots runs on Kubernetes node ${worker}.`);
  const load = new Map<string, number>();
  for (const { pod } of masters) add(load, pod?.worker);
  const pairs = there.map((master) => ({ master, candidate: candidateOf(snapshot, master, worker, load) }));
  const steps = pairs.flatMap(({ master, candidate }) =>
    candidate === undefined ? [] : [promoteStep(snapshot, master, candidate)],
  );
  const stuck = pairs
    .filter(({ candidate }) => candidate === undefined)
    .map(({ master }) => nodeName(master));
  if (steps.length === 0) {
    throw refusal(
      'unsafe',
      `${stuck.join(', ')} has no in-sync replica on another Kubernetes node that could take over. Add or move one first.`,
    );
  }
  return {
    title: `Move ${quantity(steps.length, 'master')} of ${snapshot.name} off ${worker}`,
    ref: snapshot.ref,
    operation: 'moveMastersOff',
    request,
    steps,
    warnings: [
      ...survivability(snapshot, zones).map(impactText),
      ...stuck.map(
        (name) =>
          `${name} stays there: it has no in-sync replica on another Kubernetes node. Its slots are not served while its pod moves.`,
      ),
    ],
    losses: [],
  };
}

function add(load: Map<string, number>, worker: string | undefined): void {
  if (worker !== undefined) load.set(worker, (load.get(worker) ?? 0) + 1);
}

/** Of those on other workers the one whose worker has the fewest masters, then the one that lacks least. */
function candidateOf(
  snapshot: ClusterSnapshot,
  master: RedisNode,
  worker: string,
  load: Map<string, number>,
): RedisNode | undefined {
  const at = ({ pod }: RedisNode): number => load.get(pod?.worker ?? '') ?? 0;
  const [candidate] = replicasOf(snapshot, master.id)
    .filter((node) => answers(node) && isInTouch(node) && node.pod?.worker !== worker)
    .sort((a, b) => at(a) - at(b) || (a.lagBytes ?? 0) - (b.lagBytes ?? 0));
  add(load, candidate?.pod?.worker);
  return candidate;
}

function promoteStep(snapshot: ClusterSnapshot, master: RedisNode, candidate: RedisNode): Step {
  const note = `on ${candidate.pod?.worker ?? 'another Kubernetes node'}, from ${nodeName(master)} with ${slotsText(master.slots)}`;
  return makeStep('promote', { node: candidate.id, how: 'handOver' }, namesIn(snapshot), note);
}
