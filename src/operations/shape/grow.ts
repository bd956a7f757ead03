import { hasEnded } from '../../model/endedPods.ts';
import { makeStep, type Step, type StepOf } from '../steps/index.ts';
import { mastersOf, nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { countSlots, lowestSlots, subtractSlots, type SlotSet } from '../../model/slots.ts';
import { namesIn, replicasOf } from '../servers/nodes.ts';
import { shareOut } from '../slots/chooseSlots.ts';
import type { NameOf } from '../steps/step.ts';

/** A server that is to become a member: in a pod, whose node id is not known yet, or known by its id. */
export interface Newcomer {
  readonly name: string;
  readonly id: string;
  readonly pod?: string;
}

/** How many shards more, with how many replicas each, and how many replicas more for the masters that are there. */
export interface Growth {
  readonly shards: number;
  readonly replicas: number;
  readonly extra: number;
}

/** How many servers a growth takes. */
export function serversFor({ shards, replicas, extra }: Growth): number {
  return shards * (1 + replicas) + extra;
}

/**
 * What follows once the newcomers are empty masters: functions are copied, all but the new masters become replicas,
 * and the new masters get as many slots as the others keep. Copies are made before slots come: they are empty then.
 */
export function settleNewcomers(
  snapshot: ClusterSnapshot,
  newcomers: readonly Newcomer[],
  growth: Growth,
): readonly Step[] {
  const masters = mastersOf(snapshot).filter((node) => node.slots.length > 0);
  const fresh = newcomers.slice(0, growth.shards);
  const rest = newcomers.slice(growth.shards);
  const [first] = masters;
  const nameOf: NameOf = (id) => newcomers.find((one) => one.id === id)?.name ?? namesIn(snapshot)(id);
  const functions = first === undefined ? [] : fresh.map((one) => functionsStep(first, one, nameOf));
  const ofFresh = rest.slice(0, growth.shards * growth.replicas).flatMap((one, index) => {
    const master = fresh[index % fresh.length];
    return master === undefined ? [] : [replicateStep(one, master, nameOf)];
  });
  const ofOld = shareReplicas(snapshot, masters, rest.slice(growth.shards * growth.replicas), nameOf);
  return [...functions, ...ofFresh, ...ofOld, ...movesTo(masters, fresh, nameOf)];
}

function functionsStep(from: RedisNode, to: Newcomer, nameOf: NameOf): StepOf<'copyFunctions'> {
  return makeStep('copyFunctions', { from: from.id, ...asTarget(to) }, nameOf);
}

function replicateStep(node: Newcomer, master: Newcomer, nameOf: NameOf): StepOf<'replicate'> {
  const named = {
    ...(node.pod === undefined ? {} : { pod: node.pod }),
    ...(master.pod === undefined ? {} : { masterPod: master.pod }),
  };
  return makeStep('replicate', { node: node.id, master: master.id, ...named }, nameOf);
}

function asTarget({ id, pod }: Newcomer): { readonly to: string; readonly pod?: string } {
  return pod === undefined ? { to: id } : { to: id, pod };
}

/** Each goes to the master that has the fewest then. */
function shareReplicas(
  snapshot: ClusterSnapshot,
  masters: readonly RedisNode[],
  rest: readonly Newcomer[],
  nameOf: NameOf,
): readonly Step[] {
  const counts = new Map(masters.map((node) => [node, replicasOf(snapshot, node.id).length]));
  return rest.flatMap((one) => {
    const [least] = [...counts].sort(([, a], [, b]) => a - b);
    if (least === undefined) return [];
    const [master, has] = least;
    counts.set(master, has + 1);
    return [replicateStep(one, { name: nodeName(master), id: master.id }, nameOf)];
  });
}

/** Every old master gives what it has above the new average, in proportion; its lowest slots, as redis-cli does. */
function movesTo(masters: readonly RedisNode[], fresh: readonly Newcomer[], nameOf: NameOf): readonly Step[] {
  const left = new Map<RedisNode, SlotSet>(masters.map((node) => [node, node.slots]));
  const total = masters.reduce((sum, { slots }) => sum + countSlots(slots), 0);
  const share = Math.floor(total / (masters.length + fresh.length));
  return fresh.flatMap((target) => {
    const spare = masters.map((node) => Math.max(0, countSlots(left.get(node) ?? []) - share));
    const sum = spare.reduce((all, one) => all + one, 0);
    const gives = shareOut(spare, Math.min(share, sum));
    return masters.flatMap((node, index) => {
      const slots = lowestSlots(left.get(node) ?? [], gives[index] ?? 0);
      left.set(node, subtractSlots(left.get(node) ?? [], slots));
      return slots.length === 0
        ? []
        : [makeStep('moveSlots', { from: node.id, ...asTarget(target), slots }, nameOf)];
    });
  });
}

/** Steps that bring servers into a StatefulSet's cluster as empty masters, beginning with pods that wait there already. */
export function podsJoin(
  workload: { readonly name: string; readonly replicas: number },
  waiting: readonly string[],
  needed: number,
): { readonly steps: readonly Step[]; readonly newcomers: readonly Newcomer[]; readonly pods: number } {
  const more = Math.max(0, needed - waiting.length);
  const pods = workload.replicas + more;
  const made = Array.from({ length: more }, (_, index) => `${workload.name}-${workload.replicas + index}`);
  const names = [...waiting, ...made].slice(0, needed);
  const grow = makeStep('setReplicas', { workload: workload.name, from: workload.replicas, pods }, String);
  const join = makeStep('emptyMaster', { pods: names }, String);
  return {
    steps: [...(more > 0 ? [grow] : []), join],
    newcomers: names.map((name) => ({ name, id: '', pod: name })),
    pods,
  };
}

/** Pods of the StatefulSet that are there and hold nothing: not joined yet, or left as empty masters by a run that was stopped. */
export function waitingPods(snapshot: ClusterSnapshot, workload: string): readonly string[] {
  const loose = snapshot.loosePods.filter(
    (pod) => pod.workload === workload && !pod.deleting && !hasEnded(pod),
  );
  const empty = snapshot.nodes.filter(
    (node) =>
      node.role === 'master' &&
      node.slots.length === 0 &&
      node.view?.keys === 0 &&
      node.pod?.workload === workload &&
      replicasOf(snapshot, node.id).length === 0,
  );
  const names = [...loose.map(({ name }) => name), ...empty.flatMap(({ pod }) => pod?.name ?? [])];
  return names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

export function readyStep(workload: string, pods: number): StepOf<'waitForPods'> {
  return makeStep('waitForPods', { workload, pods }, String);
}

/** The moves of slots among steps, for what has to be said of them before. */
export function movesIn(steps: readonly Step[]): readonly StepOf<'moveSlots'>[] {
  return steps.filter((step) => step.kind === 'moveSlots');
}
