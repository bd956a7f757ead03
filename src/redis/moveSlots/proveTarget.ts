import type { NodeView } from '../../model/nodeView.ts';
import { intersectSlots, slotsFrom, subtractSlots, type SlotSet } from '../../model/slots.ts';
import { closeSlots } from '../admin.ts';
import { proveArrival } from './arrival.ts';
import { openOnTarget } from './handOver.ts';
import type { MoveConnections } from './connections.ts';
import { nameIn, type MoveRequest } from './request.ts';

interface Proof {
  readonly request: MoveRequest;
  readonly connections: MoveConnections;
  /** What both ends said of themselves before. */
  readonly source: NodeView;
  readonly target: NodeView;
  readonly patienceMs: number;
}

/**
 * Makes sure that keys which the source migrates to the target's address will arrive at the target, before any slot is
 * opened for them. The target has one slot open meanwhile, of which it gets nothing but a key of ours. Throws UserError
 * where they would not arrive.
 */
export async function proveTarget({
  request,
  connections,
  source,
  target,
  patienceMs,
}: Proof): Promise<void> {
  const { from, to, targetAddress, dialer } = request;
  const slot = slotForProof(request.slots, source, target);
  if (slot === undefined) return;
  const isLeftOpen = target.self.importing.some((open) => open.slot === slot);
  const opening = openOnTarget({ ...connections, from, to }, [slot]);
  opening.catch(() => undefined);
  const close = async (): Promise<void> => {
    // Where it was open before, an earlier run may have brought keys that are nowhere else.
    if (!isLeftOpen || (await connections.target.call('CLUSTER', 'COUNTKEYSINSLOT', slot)) === 0)
      await closeSlots(connections.target, [slot]);
  };
  try {
    const outcome = await proveArrival({
      ...{
        source: connections.source,
        target: connections.target,
        address: targetAddress,
        slot,
        patienceMs,
        opening,
      },
      afterwards: isLeftOpen ? [] : [['CLUSTER', 'SETSLOT', slot, 'STABLE']],
      credentials: dialer.credentials,
      names: { source: nameIn(request, from), target: nameIn(request, to) },
    });
    if (outcome === 'proven' && !isLeftOpen) return;
  } catch (error) {
    await opening.catch(() => undefined);
    await close().catch(() => undefined);
    throw error;
  }
  await opening;
  await close();
}

/**
 * One of those that move: closed if possible, or left open by a proof that was interrupted. There is none where the
 * source is migrating them all already, and so has sent keys there before.
 */
function slotForProof(slots: SlotSet, { self }: NodeView, target: NodeView): number | undefined {
  const leaving = slotsFrom(self.migrating.map(({ slot }) => slot));
  const coming = slotsFrom(target.self.importing.map(({ slot }) => slot));
  const able = subtractSlots(intersectSlots(self.slots, slots), leaving);
  const closed = subtractSlots(able, coming);
  const [first] = closed.length > 0 ? closed : able;
  return first?.[0];
}
