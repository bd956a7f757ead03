/** What happens to a move of two slots from a source to a target, told so that it can happen to real servers as well. */
export interface ReplayCase {
  readonly name: string;
  /** Keys in the first and in the second slot. */
  readonly keys: readonly [number, number];
  /** The tool dies before it sends this for the n-th time. */
  readonly dieBefore?: { readonly what: Word; readonly nth: number };
  /** Which server dies with it, and is followed by its replica. */
  readonly kill?: 'source' | 'target';
  /** The target has an older copy of the first key already, as a MIGRATE that timed out leaves it. */
  readonly leftover?: boolean;
}

export type Word = 'IMPORTING' | 'MIGRATING' | 'MIGRATE' | 'COUNTKEYSINSLOT' | 'NODE';

/** What the nodes say of one of the two slots: shards by letter (S source, T target, B bystander). */
export interface SlotState {
  /** Masters that claim it themselves. */
  readonly owners: readonly string[];
  /** Masters that have it open, as `S→T` or `T←S`; an end that serves no more is a small letter. */
  readonly open: readonly string[];
  /** By key: the masters that hold it, with the number of the write they hold. */
  readonly keys: readonly string[];
}

/** After what went wrong, and after the same move was said again. */
export interface ReplayStates {
  readonly interrupted: readonly SlotState[];
  readonly ended: readonly SlotState[];
}

const places: readonly { readonly what: Word; readonly nth: number }[] = [
  { what: 'IMPORTING', nth: 1 },
  { what: 'IMPORTING', nth: 2 },
  { what: 'MIGRATING', nth: 1 },
  { what: 'MIGRATING', nth: 2 },
  { what: 'MIGRATE', nth: 1 },
  { what: 'MIGRATE', nth: 2 },
  { what: 'COUNTKEYSINSLOT', nth: 1 },
  { what: 'NODE', nth: 1 },
  { what: 'NODE', nth: 3 },
];

const filled: readonly (readonly [number, number])[] = [
  [2, 2],
  [3, 0],
];

export const replayCases: readonly ReplayCase[] = [
  { name: 'undisturbed', keys: [2, 1] },
  { name: 'undisturbed, with an older copy at the target', keys: [2, 1], leftover: true },
  ...filled.flatMap((keys) =>
    places
      // One slot with keys is one MIGRATE.
      .filter(({ what, nth }) => !(what === 'MIGRATE' && nth === 2 && keys[1] === 0))
      .map((dieBefore): ReplayCase => {
        return {
          name: `tool dies before ${dieBefore.what} ${dieBefore.nth}, ${keys.join('+')} keys`,
          keys,
          dieBefore,
        };
      }),
  ),
  ...(['source', 'target'] as const).flatMap((kill) =>
    places
      .filter(({ what, nth }) => what === 'MIGRATE' || (what === 'NODE' && nth === 1))
      .map((dieBefore): ReplayCase => {
        return {
          name: `${kill} and tool die before ${dieBefore.what} ${dieBefore.nth}`,
          keys: [2, 2],
          dieBefore,
          kill,
        };
      }),
  ),
];

/** Whether a command is the one that is not sent any more; counts as it goes. */
export function lastWord({ dieBefore }: ReplayCase): (_: string, command: readonly unknown[]) => boolean {
  let seen = 0;
  return (_, command) => {
    if (dieBefore === undefined) return false;
    const [verb, sub, , third] = command;
    const isIt = [verb, sub, third].includes(dieBefore.what);
    return isIt && !isOfTestKey(command) && ++seen === dieBefore.nth;
  };
}

/** How often the key is sent that proves where keys arrive depends on when the target opens its slot. */
function isOfTestKey(command: readonly unknown[]): boolean {
  return command[0] === 'MIGRATE' && String(command.at(-1)).startsWith('rck8s-arrival:');
}
