/** Moves of this process that run at the same time share what servers have only one of. */

const taking = new Map<string, number>();

/** Counts a move that takes from this source; `sharing` says how many do at present. */
export function joinSource(source: string): { sharing(): number; leave(): void } {
  taking.set(source, (taking.get(source) ?? 0) + 1);
  return {
    sharing: () => taking.get(source) ?? 1,
    leave: () => {
      const left = (taking.get(source) ?? 1) - 1;
      if (left > 0) taking.set(source, left);
      else taking.delete(source);
    },
  };
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
