import { mastersOf } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { hasSlot, openSlotsIn, unionSlots, type SlotSet } from '../../model/slots.ts';
import { answers } from '../servers/nodes.ts';

/** A master that answers. */
export type Master = RedisNode & { readonly view: object };

/** What one slot's owner and marks say about where its keys belong. */
export interface SlotCase {
  readonly slot: number;
  readonly owner: Master;
  /** Where the slot is in the end: with its owner, or with the target to which the owner is migrating it. */
  readonly destination: Master;
  /** Whose copies of keys clients reach, the one who is asked first standing first; all others hold strayed keys. */
  readonly serving: readonly Master[];
  /** The owner has marks that say nothing: they are closed, and the slot stays. */
  readonly closesOwner: boolean;
}

/** Why nobody but a person can tell where the keys of a slot belong. */
export type SlotDoubt =
  | { readonly why: 'no-owner' }
  | { readonly why: 'owner-silent'; readonly nodes: readonly RedisNode[] }
  | { readonly why: 'owners'; readonly owners: readonly Master[] }
  | { readonly why: 'target-silent'; readonly owner: Master; readonly targetId: string };

/** Masters that answer, which say for themselves what they own and what they call open. */
export function answeringMasters(snapshot: ClusterSnapshot): readonly Master[] {
  return mastersOf(snapshot).filter((node): node is Master => answers(node));
}

export function openSlotsOn(masters: readonly Master[]): SlotSet {
  return unionSlots(...masters.map(({ view }) => openSlotsIn(view.self)));
}

/**
 * Judges by the owner's word alone: an importing mark says where keys may have strayed to, never where they belong.
 * @param isDrained whether a master holds no key of the slot; asked only where two claim it
 */
export function judgeSlot(
  snapshot: ClusterSnapshot,
  slot: number,
  isDrained: (node: Master) => boolean,
): SlotCase | SlotDoubt {
  const masters = answeringMasters(snapshot);
  const owners = masters.filter(({ slots }) => hasSlot(slots, slot));
  if (owners.length > 1) return betweenOwners(snapshot, slot, owners, isDrained);
  const [owner] = owners;
  if (owner === undefined) {
    const nodes = mastersOf(snapshot).filter(({ slots }) => hasSlot(slots, slot));
    return nodes.length === 0 ? { why: 'no-owner' } : { why: 'owner-silent', nodes };
  }
  const { migrating, importing } = owner.view.self;
  const targetId = migrating.find((mark) => mark.slot === slot)?.nodeId;
  if (targetId === undefined) {
    const closesOwner = importing.some((mark) => mark.slot === slot);
    return { slot, owner, destination: owner, serving: [owner], closesOwner };
  }
  const target = masterNow(snapshot, targetId);
  if (target === undefined) return { why: 'target-silent', owner, targetId };
  const takes = target !== owner && takesFrom(snapshot, target, owner, slot);
  const serving = takes ? [owner, target] : [owner];
  return { slot, owner, destination: target, serving, closesOwner: target === owner };
}

/** Whether what the target has came from the owner, or from whose place the owner took, as far as its own mark says. */
function takesFrom(snapshot: ClusterSnapshot, { view }: Master, owner: Master, slot: number): boolean {
  const from = view.self.importing.find((mark) => mark.slot === slot)?.nodeId;
  const source = from === undefined ? undefined : masterNow(snapshot, from);
  return source === undefined || source === owner;
}

/** The one master that says that it owns the slot; undefined where none or several do. */
export function ownerOf(snapshot: ClusterSnapshot, slot: number): Master | undefined {
  const owners = answeringMasters(snapshot).filter(({ slots }) => hasSlot(slots, slot));
  return owners.length === 1 ? owners[0] : undefined;
}

/** A target that owns the slot already, while its source has not heard of it: true only if the source has no key left. */
function betweenOwners(
  snapshot: ClusterSnapshot,
  slot: number,
  owners: readonly Master[],
  isDrained: (node: Master) => boolean,
): SlotCase | SlotDoubt {
  for (const owner of owners) {
    const targetId = owner.view.self.migrating.find((mark) => mark.slot === slot)?.nodeId;
    const target = targetId === undefined ? undefined : masterNow(snapshot, targetId);
    const isRest = owners.every((one) => one === owner || one === target);
    if (target !== undefined && target !== owner && isRest && isDrained(owner))
      return { slot, owner, destination: target, serving: [target], closesOwner: false };
  }
  return { why: 'owners', owners };
}

/** Who serves for a node: itself, or the replica that took its place meanwhile and that it follows now. */
function masterNow(snapshot: ClusterSnapshot, id: string): Master | undefined {
  const node = snapshot.nodes.find((one) => one.id === id);
  const master = node?.role === 'replica' ? snapshot.nodes.find((one) => one.id === node.masterId) : node;
  return answers(master) && master.role === 'master' ? master : undefined;
}

/** Whether a master has a mark of either kind on the slot. */
export function callsOpen({ view }: Master, slot: number): boolean {
  return [...view.self.migrating, ...view.self.importing].some((mark) => mark.slot === slot);
}
