import { quantity } from '../../model/quantity.ts';
import * as vscode from 'vscode';
import { impactText, survivability } from '../../checks/survivability.ts';
import { isKubernetesRef } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { planMoveMastersOff } from '../../operations/moveMastersOff.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { toChange } from '../questions/partToChange.ts';
import { runPlanned } from '../run/runPlanned.ts';
import { picked, textAnswer } from '../questions/target.ts';

/** Fails the masters on a Kubernetes node over to replicas on other nodes, before it is drained. */
export async function moveMastersOff(parts: Parts, argument: unknown): Promise<Outcome> {
  const asking = new Asking(parts, argument);
  const snapshot = await toChange(parts, argument, await parts.inventory.fresh(await asking.cluster()));
  const { answers, target } = asking;
  const zones = await zonesOf(parts, snapshot);
  const own = snapshot.nodes.find(({ id }) => target?.kind === 'node' && id === target.nodeId);
  const given = own?.pod?.worker ?? textAnswer(answers, 'worker');
  const worker = await asking.or(given, () => pickWorker(snapshot, zones));
  const plan = planMoveMastersOff(snapshot, { worker }, { zones });
  return runPlanned(parts, {
    plan,
    asking,
    verb: 'Move Masters',
    message: ({ steps, seconds }) =>
      `Moved ${steps} of ${quantity(plan.steps.length, 'master')} off ${worker} in ${seconds.toFixed(1)} s`,
  });
}

async function pickWorker(snapshot: ClusterSnapshot, zones: ReadonlyMap<string, string>): Promise<string> {
  const items = survivability(snapshot, zones)
    .filter(({ place }) => place.kind === 'worker')
    .map((impact) => ({
      label: impact.place.name,
      description: impact.nodes.join(', '),
      detail: impactText(impact),
    }));
  const options = {
    title: `Move Masters of ${snapshot.name} off a Node`,
    placeHolder: 'Select the Kubernetes node to move masters off',
  };
  return (await picked(vscode.window.showQuickPick(items, options))).label;
}

/** By the label that cloud providers and people give workers; without the right to read these, none is known. */
async function zonesOf(parts: Parts, { ref, nodes }: ClusterSnapshot): Promise<ReadonlyMap<string, string>> {
  if (!isKubernetesRef(ref)) return new Map();
  const access = await parts.inventory.access(ref.context);
  const workers = new Set(nodes.flatMap(({ pod }) => pod?.worker ?? []));
  const found = await Promise.all(
    [...workers].map(async (worker): Promise<readonly (readonly [string, string])[]> => {
      try {
        const object = await access.get('v1', 'Node', undefined, worker);
        const zone = object?.metadata.labels?.['topology.kubernetes.io/zone'];
        return zone === undefined ? [] : [[worker, zone]];
      } catch (error) {
        if (error instanceof UserError) return [];
        throw error;
      }
    }),
  );
  return new Map(found.flat());
}
