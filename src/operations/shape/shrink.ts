import { makeStep, type Step, type StepOf } from '../steps/index.ts';
import { mastersOf, nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { countSlots, lowestSlots, subtractSlots, type SlotSet } from '../../model/slots.ts';
import { answers, isInTouch, namesIn } from '../servers/nodes.ts';
import { shareOut } from '../slots/chooseSlots.ts';
import type { NameOf } from '../steps/step.ts';

/** What is to go: shards as a whole, further replicas, and the pods that a StatefulSet drops. */
export interface Leaving {
  /** Masters whose slots go to the others. */
  readonly drained: readonly RedisNode[];
  /** Nodes that are not needed any more, the drained masters among them; as many as pods are dropped. */
  readonly spare: readonly RedisNode[];
  /** Nodes in the pods that are dropped; the spare ones themselves outside Kubernetes. */
  readonly dropped: readonly RedisNode[];
}

/** The cluster as it is after the steps so far: who follows whom. */
interface Roles {
  readonly nameOf: NameOf;
  readonly masterOf: Map<RedisNode, RedisNode | undefined>;
}

/**
 * Steps after which the dropped servers are no members any more, and every slot and every copy is with the others:
 * masters among the dropped hand over to replicas that stay; drained masters give their slots away; spare nodes that
 * stay take the places of dropped ones that were needed; then the dropped leave, empty, and are forgotten.
 */
export function shrinkSteps(snapshot: ClusterSnapshot, leaving: Leaving): readonly Step[] {
  const stays = (node: RedisNode): boolean => !leaving.dropped.includes(node);
  if (
    leaving.spare.filter(stays).length !==
    leaving.dropped.filter((one) => !leaving.spare.includes(one)).length
  ) {
    throw new TypeError('as many nodes are spare as are dropped');
  }
  const roles = rolesIn(snapshot);
  const handovers = handOvers(leaving, roles);
  const moves = drains(snapshot, leaving, roles);
  const places = takePlaces(leaving, roles);
  return [...handovers, ...moves, ...places];
}

function rolesIn(snapshot: ClusterSnapshot): Roles {
  const { nodes } = snapshot;
  return {
    nameOf: namesIn(snapshot),
    masterOf: new Map(
      nodes.map((node) => [node, nodes.find(({ id }) => node.role === 'replica' && id === node.masterId)]),
    ),
  };
}

function followers({ masterOf }: Roles, master: RedisNode): readonly RedisNode[] {
  return [...masterOf].flatMap(([node, its]) => (its === master ? [node] : []));
}

/** The replica and all its fellows follow the one that took over, the old master included. */
function promoteStep(roles: Roles, node: RedisNode, old: RedisNode): StepOf<'promote'> {
  for (const fellow of followers(roles, old)) roles.masterOf.set(fellow, node);
  roles.masterOf.set(old, node);
  roles.masterOf.set(node, undefined);
  return makeStep('promote', { node: node.id, how: 'handOver' }, roles.nameOf, `from ${nodeName(old)}`);
}

function handOvers({ drained, spare, dropped }: Leaving, roles: Roles): readonly Step[] {
  return dropped.flatMap((node) => {
    if (node.slots.length === 0 || drained.includes(node)) return [];
    const replacement = followers(roles, node).find(
      (one) => !dropped.includes(one) && !spare.includes(one) && answers(one) && isInTouch(one),
    );
    return replacement === undefined ? [] : [promoteStep(roles, replacement, node)];
  });
}

/** The slots go to the masters that stay, so that all of these have the same number afterwards as far as possible. */
function drains(snapshot: ClusterSnapshot, { drained }: Leaving, roles: Roles): readonly Step[] {
  const owners = mastersOf(snapshot).filter((node) => node.slots.length > 0 && !drained.includes(node));
  const has = new Map(owners.map((node) => [node, countSlots(node.slots)]));
  return drained.flatMap((source) => {
    const gives = fillUp([...has.values()], countSlots(source.slots));
    let left: SlotSet = source.slots;
    return owners.flatMap((owner, index) => {
      const slots = lowestSlots(left, gives[index] ?? 0);
      left = subtractSlots(left, slots);
      has.set(owner, (has.get(owner) ?? 0) + countSlots(slots));
      return slots.length === 0
        ? []
        : [
            makeStep(
              'moveSlots',
              { from: source.id, to: presentMaster(roles, owner).id, slots },
              roles.nameOf,
            ),
          ];
    });
  });
}

function presentMaster({ masterOf }: Roles, node: RedisNode): RedisNode {
  return masterOf.get(node) ?? node;
}

/** How many each gets so that the smallest ones catch up first. */
function fillUp(sizes: readonly number[], amount: number): readonly number[] {
  const total = sizes.reduce((sum, size) => sum + size, amount);
  const level = total / Math.max(1, sizes.length);
  const wants = sizes.map((size) => Math.max(0, level - size));
  return shareOut(wants.every((want) => want === 0) ? sizes : wants, amount);
}

/** A drained master has no place to take before its own replicas are gone from it: replicas come first. */
function takePlaces({ drained, spare, dropped }: Leaving, roles: Roles): readonly Step[] {
  const steps: Step[] = [];
  const staying = spare.filter((node) => !dropped.includes(node));
  const [masters, replicas] = [staying, staying].map((those, index) =>
    those.filter((node) => drained.includes(node) === (index === 0)),
  );
  const needed = pairUp(
    dropped.filter((node) => !spare.includes(node)),
    replicas ?? [],
    roles,
  );
  for (const { node, replacement } of needed.pairs) steps.push(...replaceSteps(roles, node, replacement));
  const gone = needed.pairs.map(({ node }) => node);
  const leave = (those: readonly RedisNode[]): void => {
    for (const node of those) steps.push(...leaveSteps(roles, node));
  };
  leave([...gone, ...dropped.filter((node) => spare.includes(node) && !drained.includes(node))]);
  const late = needed.left.map((node, index) => ({ node, replacement: masters?.[index] }));
  for (const { node, replacement } of late)
    if (replacement !== undefined) steps.push(...replaceSteps(roles, node, replacement));
  leave([...late.map(({ node }) => node), ...dropped.filter((node) => drained.includes(node))]);
  return steps;
}

interface Paired {
  readonly pairs: readonly { readonly node: RedisNode; readonly replacement: RedisNode }[];
  /** Those for which no replica was spare. */
  readonly left: readonly RedisNode[];
}

/** A spare replica of the same shard first: it is there already. */
function pairUp(nodes: readonly RedisNode[], spare: readonly RedisNode[], roles: Roles): Paired {
  const free = [...spare];
  const pairs: { node: RedisNode; replacement: RedisNode }[] = [];
  const shard = (node: RedisNode): RedisNode => roles.masterOf.get(node) ?? node;
  const take = (node: RedisNode, isFit: (one: RedisNode) => boolean): boolean => {
    const index = free.findIndex(isFit);
    const [replacement] = index < 0 ? [] : free.splice(index, 1);
    if (replacement !== undefined) pairs.push({ node, replacement });
    return replacement !== undefined;
  };
  const others = nodes.filter((node) => !take(node, (one) => shard(one) === shard(node)));
  return { pairs, left: others.filter((node) => !take(node, () => true)) };
}

/** The spare node copies the shard, and takes over where the one that goes is its master still. */
function replaceSteps(roles: Roles, node: RedisNode, replacement: RedisNode): readonly Step[] {
  const steps: Step[] = [];
  const master = roles.masterOf.get(node) ?? node;
  if (roles.masterOf.get(replacement) !== master) {
    roles.masterOf.set(replacement, master);
    steps.push(
      makeStep(
        'replicate',
        { node: replacement.id, master: master.id },
        roles.nameOf,
        `in place of ${nodeName(node)}`,
      ),
    );
  }
  if (master === node) steps.push(promoteStep(roles, replacement, node));
  return steps;
}

/** It forgets the others first, with which it gets another id: so it cannot bring itself back by gossip. */
function leaveSteps({ nameOf }: Roles, { id: node }: RedisNode): readonly Step[] {
  return [makeStep('resetNode', { node }, nameOf), makeStep('forget', { node }, nameOf)];
}
