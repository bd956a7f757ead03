/** Moves of this process that run at the same time share what servers have only one of. */

interface Member {
  readonly from: string;
  readonly to: string;
  readonly ended: Promise<void>;
}

const running = new Set<Member>();

/**
 * Joins the moves under way, once none of them gives to this one's source or takes from its target. A master that takes
 * slots raises its config epoch, and if it gives others away at that moment its claim to those wins over the new
 * owner's, which would drop the keys. `sharing` says how many moves take from this source at present.
 */
export async function joinMoves(from: string, to: string): Promise<{ sharing(): number; leave(): void }> {
  for (;;) {
    const opposed = [...running].filter((other) => other.from === to || other.to === from);
    if (opposed.length === 0) break;
    await Promise.race(opposed.map(({ ended }) => ended));
  }
  const { promise: ended, resolve } = Promise.withResolvers<undefined>();
  const member: Member = { from, to, ended: ended.then(() => undefined) };
  running.add(member);
  return {
    sharing: () => Math.max(1, [...running].filter((other) => other.from === from).length),
    leave: () => {
      running.delete(member);
      resolve(undefined);
    },
  };
}

/** Forgets all moves, as the end of this process does: for the simulation, whose tools die within one process. */
export function forgetMoves(): void {
  running.clear();
}

const busy = new Map<string, Promise<unknown>>();

/** Lets work begin once no other work is under way that names one of the same nodes; first come, first served. */
export async function inTurn<T>(nodes: readonly string[], work: () => Promise<T>): Promise<T> {
  const before = nodes.map((node) => busy.get(node) ?? Promise.resolve());
  const turn = Promise.all(before).then(work);
  const ended = turn.catch(() => undefined);
  for (const node of nodes) busy.set(node, ended);
  try {
    return await turn;
  } finally {
    for (const node of nodes) if (busy.get(node) === ended) busy.delete(node);
  }
}
