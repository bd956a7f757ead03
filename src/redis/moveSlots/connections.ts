import type { ClusterDialer, NodeConnection } from '../nodeConnection.ts';

/** The connections of one move; whatever is dialled here is closed with them. */
export interface MoveConnections {
  readonly source: NodeConnection;
  readonly target: NodeConnection;
  /** Masters that neither give nor take, as far as they can be reached. */
  readonly others: readonly NodeConnection[];
  /** One connection to each master, by node id. */
  readonly masters: ReadonlyMap<string, NodeConnection>;
  /** How long the quickest of these took to be opened; milliseconds. */
  readonly dialMs: number;
  dial(nodeId: string): Promise<NodeConnection>;
  /** Begins to dial what will be asked for later; where that fails, it is said to whoever asks. */
  dialAhead(nodeId: string, count: number): void;
  /** So many more connections to one node. */
  dialMany(nodeId: string, count: number): Promise<readonly NodeConnection[]>;
  close(): void;
}

/** Opens what every move needs. Throws UserError `unreachable` where source or target do not answer. */
export async function openConnections({
  dialer,
  from,
  to,
  otherMasters,
}: {
  readonly dialer: ClusterDialer;
  readonly from: string;
  readonly to: string;
  readonly otherMasters: readonly string[];
}): Promise<MoveConnections> {
  const opened: NodeConnection[] = [];
  const ahead = new Map<string, Promise<NodeConnection>[]>();
  let isClosed = false;
  let dialMs = Infinity;
  const dialNew = async (id: string): Promise<NodeConnection> => {
    const start = performance.now();
    const connection = await dialer.dial(id);
    dialMs = Math.min(dialMs, performance.now() - start);
    opened.push(connection);
    // What was still being dialled when the move ended is not needed any more.
    if (isClosed) connection.close();
    return connection;
  };
  const dial = (id: string): Promise<NodeConnection> => ahead.get(id)?.shift() ?? dialNew(id);
  const dialAhead = (id: string, count: number): void => {
    const begun = Array.from({ length: count }, () => dialNew(id));
    for (const connection of begun) connection.catch(() => undefined);
    ahead.set(id, begun);
  };
  const close = (): void => {
    isClosed = true;
    for (const connection of opened) connection.close();
  };
  try {
    const [source, target, reached] = await Promise.all([
      dial(from),
      dial(to),
      dialReachable(dial, otherMasters),
    ]);
    return {
      source,
      target,
      others: [...reached.values()],
      masters: new Map([...reached, [from, source], [to, target]]),
      dialMs,
      dial,
      dialAhead,
      dialMany: (id, count) => Promise.all(Array.from({ length: count }, () => dial(id))),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function dialReachable(
  dial: (id: string) => Promise<NodeConnection>,
  ids: readonly string[],
): Promise<Map<string, NodeConnection>> {
  const results = await Promise.allSettled(
    ids.map(async (id): Promise<[string, NodeConnection]> => [id, await dial(id)]),
  );
  return new Map(results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])));
}
