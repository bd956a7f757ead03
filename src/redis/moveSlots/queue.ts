import { eachSlot, type SlotSet } from '../../model/slots.ts';
import type { BigKey, LargeKey, LargeKeys } from './bigKeys.ts';
import type { Speed } from './speed.ts';

/** Slots to move at once, with what is known of large keys in them. */
export interface Block {
  readonly slots: readonly number[];
  readonly large: readonly LargeKey[];
}

/** The blocks of a move, handed to whichever lane asks. */
export interface Queue {
  /** Undefined where nothing is left for this lane. */
  next(lane: object): Promise<Block | undefined>;
  /** Keys that would stop their server for too long: their slots are not touched. */
  readonly tooBig: readonly BigKey[];
}

export interface QueueOptions {
  readonly blocks: readonly SlotSet[];
  readonly largeKeys: LargeKeys;
  readonly speed: Speed;
  /** For how long a MIGRATE may stop its servers; milliseconds. */
  readonly longestMs: number;
}

/** What may take more than this share of the time that is allowed waits until the others have shown how fast it goes. */
const lateShare = 1 / 8;

/**
 * Hands out slots with big keys last, the smaller key first and one at a time: how long each of them takes says whether
 * the next may follow. Looks at the keys of a block while the one before moves.
 */
export function queueOf({ blocks, largeKeys, speed, longestMs }: QueueOptions): Queue {
  const waiting = [...blocks];
  const late: Block[] = [];
  const tooBig: BigKey[] = [];
  const looks = new Map<SlotSet, Promise<readonly LargeKey[]>>();
  /** The lane that has the big keys. */
  let owner: object | undefined;
  const look = (block: SlotSet): Promise<readonly LargeKey[]> => {
    const looking = looks.get(block) ?? largeKeys.in([...eachSlot(block)]);
    looks.set(block, looking);
    // Whoever takes the block hears of a failure.
    looking.catch(() => undefined);
    return looking;
  };
  const worstOf = ({ large }: Block): number => Math.max(0, ...large.map((key) => speed.worstMs(key)));
  const nextLate = (lane: object): Block | undefined => {
    owner = undefined;
    for (;;) {
      late.sort((one, other) => worstOf(one) - worstOf(other));
      const block = late.shift();
      if (block === undefined) return undefined;
      const big = block.large
        .map((key) => ({ ...key, worstMs: speed.worstMs(key) }))
        .filter(({ worstMs }) => worstMs > longestMs);
      tooBig.push(...big);
      if (big.length > 0) continue;
      owner = lane;
      return block;
    }
  };
  return {
    tooBig,
    next: async (lane) => {
      for (let block = waiting.shift(); block !== undefined; block = waiting.shift()) {
        const looking = look(block);
        if (waiting[0] !== undefined) void look(waiting[0]);
        const large = await looking;
        looks.delete(block);
        const slow = new Set(
          large.filter((key) => speed.worstMs(key) > longestMs * lateShare).map(({ slot }) => slot),
        );
        for (const slot of slow)
          late.push({ slots: [slot], large: large.filter((key) => key.slot === slot) });
        const slots = [...eachSlot(block)].filter((slot) => !slow.has(slot));
        if (slots.length > 0) return { slots, large: large.filter(({ slot }) => !slow.has(slot)) };
      }
      return owner === undefined || owner === lane ? nextLate(lane) : undefined;
    },
  };
}
