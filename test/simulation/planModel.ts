import type { Step } from '../../src/operations/steps/index.ts';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import {
  countSlots,
  intersectSlots,
  slotCount,
  subtractSlots,
  unionSlots,
  type SlotSet,
} from '../../src/model/slots.ts';

interface Member {
  readonly id: string;
  masterId: string | undefined;
  slots: SlotSet;
}

/** A cluster as far as plans are about it: who is a member, who follows whom, who owns what. */
export interface Model {
  readonly members: Map<string, Member>;
}

export function modelOf({ nodes }: ClusterSnapshot): Model {
  const members = nodes.map(({ id, masterId, slots }): [string, Member] => [id, { id, masterId, slots }]);
  return { members: new Map(members) };
}

function memberIn({ members }: Model, id: string): Member {
  const member = members.get(id);
  if (member === undefined) throw new Error(`${id} is no member`);
  return member;
}

/** Carries a step out, as servers would; throws where they would refuse or where something would be lost. */
export function carryOut(model: Model, step: Step): void {
  switch (step.kind) {
    case 'moveSlots':
      move(model, step.from, step.to, step.slots);
      return;
    case 'promote':
      promote(model, step.node);
      return;
    case 'replicate':
      replicate(model, step.node, step.master);
      return;
    case 'resetNode':
      isolate(model, step.node);
      return;
    case 'forget':
      if (model.members.has(step.node)) throw new Error(`${step.node} is forgotten before it has left`);
      return;
    default:
      // What is done to pods changes neither roles nor slots.
      return;
  }
}

function move(model: Model, from: string, to: string, slots: SlotSet): void {
  const source = memberIn(model, from);
  const target = memberIn(model, to);
  if (source.masterId !== undefined || target.masterId !== undefined)
    throw new Error(`${from} or ${to} is a replica`);
  if (subtractSlots(slots, source.slots).length > 0) throw new Error(`${from} does not own what it gives`);
  source.slots = subtractSlots(source.slots, slots);
  target.slots = unionSlots(target.slots, slots);
}

function promote(model: Model, id: string): void {
  const newMaster = memberIn(model, id);
  if (newMaster.masterId === undefined) throw new Error(`${id} is already a master`);
  const old = memberIn(model, newMaster.masterId);
  newMaster.masterId = undefined;
  newMaster.slots = old.slots;
  old.slots = [];
  for (const member of model.members.values()) if (member.masterId === old.id) member.masterId = id;
  old.masterId = id;
}

function replicate(model: Model, id: string, masterId: string): void {
  const node = memberIn(model, id);
  const master = memberIn(model, masterId);
  if (node.slots.length > 0) throw new Error(`${id} owns slots and cannot become a replica`);
  if (master.masterId !== undefined) throw new Error(`${masterId} is a replica itself`);
  if (hasReplicas(model, id)) throw new Error(`${id} leaves its replicas behind`);
  node.masterId = masterId;
}

function isolate(model: Model, id: string): void {
  const node = memberIn(model, id);
  if (node.slots.length > 0) throw new Error(`${id} is reset and owns slots`);
  if (hasReplicas(model, id)) throw new Error(`${id} is reset and has replicas`);
  model.members.delete(id);
}

function hasReplicas({ members }: Model, id: string): boolean {
  return [...members.values()].some(({ masterId }) => masterId === id);
}

/** What must be true after every step: all slots are owned, each once, and by masters. */
export function assertOwnedOnce({ members }: Model): void {
  let all: SlotSet = [];
  for (const { id, masterId, slots } of members.values()) {
    if (slots.length > 0 && masterId !== undefined) throw new Error(`replica ${id} owns slots`);
    if (intersectSlots(all, slots).length > 0) throw new Error(`${id} owns slots that another one owns`);
    all = unionSlots(all, slots);
  }
  if (countSlots(all) !== slotCount) throw new Error(`${slotCount - countSlots(all)} slots have no owner`);
}

/** Masters that serve slots and have no copy of them. */
export function withoutCopy(model: Model): readonly string[] {
  return [...model.members.values()]
    .filter(({ id, slots }) => slots.length > 0 && !hasReplicas(model, id))
    .map(({ id }) => id);
}
