import { slotCount } from '../../model/slots.ts';

/** One master in a rebalance: what it owns and how much of the whole it is to own, in relation to the others. */
export interface Share {
  readonly id: string;
  readonly slots: number;
  readonly weight: number;
}

/** So many slots from one master to another. */
export interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly slots: number;
}

/**
 * The fewest moves after which every master's number of slots differs from its share by no more than `threshold`
 * percent of it. A share is rarely a whole number, so up to the next whole one is always within. The slots of all
 * shares together have to be all slots, and not all weights 0.
 */
export function transfersFor(shares: readonly Share[], threshold: number): readonly Transfer[] {
  const wanted = finalNumbers(shares, threshold);
  const change = shares.map(({ id, slots }, index) => ({ id, slots: (wanted[index] ?? slots) - slots }));
  const givers = change.filter(({ slots }) => slots < 0).sort((a, b) => a.slots - b.slots);
  const takers = change.filter(({ slots }) => slots > 0).sort((a, b) => b.slots - a.slots);
  const transfers: Transfer[] = [];
  let [giver, taker] = [givers.shift(), takers.shift()];
  while (giver !== undefined && taker !== undefined) {
    const slots = Math.min(-giver.slots, taker.slots);
    transfers.push({ from: giver.id, to: taker.id, slots });
    giver = { ...giver, slots: giver.slots + slots };
    taker = { ...taker, slots: taker.slots - slots };
    if (giver.slots === 0) giver = givers.shift();
    if (taker.slots === 0) taker = takers.shift();
  }
  return transfers;
}

/** Each number is first brought just within its bounds; what that gives or needs too much is taken up by the others. */
function finalNumbers(shares: readonly Share[], threshold: number): readonly number[] {
  const total = shares.reduce((sum, { weight }) => sum + weight, 0);
  const bounds = shares.map(({ weight }) => boundsOf((slotCount * weight) / total, threshold / 100));
  const numbers = shares.map(({ slots }, index) => {
    const { low = 0, high = 0 } = bounds[index] ?? {};
    return Math.min(Math.max(slots, low), high);
  });
  let left = slotCount - numbers.reduce((sum, number) => sum + number, 0);
  while (left !== 0) {
    const index = mostInNeed(numbers, bounds, Math.sign(left));
    const bound = bounds[index];
    if (bound === undefined) throw new Error(`Slots that fit no master within the threshold: ${left}`);
    numbers[index] = (numbers[index] ?? 0) + Math.sign(left);
    left -= Math.sign(left);
  }
  return numbers;
}

interface Bounds {
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

function boundsOf(share: number, tolerance: number): Bounds {
  return {
    share,
    low: Math.min(Math.floor(share), Math.ceil(share * (1 - tolerance))),
    high: Math.max(Math.ceil(share), Math.floor(share * (1 + tolerance))),
  };
}

/** Whose number may still go up (or down), and lies the furthest on the other side of its share. */
function mostInNeed(numbers: readonly number[], bounds: readonly Bounds[], direction: number): number {
  let best = -1;
  let most = Number.NEGATIVE_INFINITY;
  for (const [index, { share, low, high }] of bounds.entries()) {
    const number = numbers[index] ?? 0;
    if (direction > 0 ? number >= high : number <= low) continue;
    const need = direction * (share - number);
    if (need <= most) continue;
    most = need;
    best = index;
  }
  return best;
}
