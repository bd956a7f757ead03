interface Member {
  readonly from: string;
  readonly to: string;
  readonly ended: Promise<void>;
}

/** The moves that run at the same time in one cluster: they share what servers have only one of. */
export interface ConcurrentMoves {
  /**
   * Joins the moves under way, once none of them gives to this one's source or takes from its target. A master that
   * takes slots raises its config epoch, and if it gives others away at that moment its claim to those wins over the new
   * owner's, which would drop the keys. `sharing` says how many moves take from this source at present.
   */
  join(from: string, to: string): Promise<{ sharing(): number; leave(): void }>;
  /** Lets work begin once no other work is under way that names one of the same nodes; first come, first served. */
  inTurn<T>(nodes: readonly string[], work: () => Promise<T>): Promise<T>;
}

/** Every run of a plan has one of its own, as there is one operation per cluster at a time. */
export function concurrentMoves(): ConcurrentMoves {
  const running = new Set<Member>();
  const busy = new Map<string, Promise<unknown>>();
  return {
    async join(from, to) {
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
    },
    async inTurn(nodes, work) {
      const before = nodes.map((node) => busy.get(node) ?? Promise.resolve());
      const turn = Promise.all(before).then(work);
      const ended = turn.catch(() => undefined);
      for (const node of nodes) busy.set(node, ended);
      try {
        return await turn;
      } finally {
        for (const node of nodes) if (busy.get(node) === ended) busy.delete(node);
      }
    },
  };
}
