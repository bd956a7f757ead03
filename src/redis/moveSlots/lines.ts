import type { ClusterDialer, NodeConnection } from '../nodeConnection.ts';

/** Connections of one lane: the source's for listing and SETSLOT, others for MIGRATE, and one to the target. */
export interface Lane {
  readonly source: NodeConnection;
  readonly carriers: readonly NodeConnection[];
  readonly target: NodeConnection;
}

export interface Lines {
  readonly lanes: readonly Lane[];
  readonly first: Lane;
  /** Masters that neither give nor take, as far as they can be reached. */
  readonly others: readonly NodeConnection[];
  /** One connection to each master, by node id. */
  readonly masters: ReadonlyMap<string, NodeConnection>;
  close(): void;
}

const laneCount = 2;
/** A connection that waits for MIGRATE can do nothing else; two lanes of two hide the way to a distant server. */
export const carriersPerLane = 2;

/** Opens all connections that a move needs. Throws UserError `unreachable` where source or target do not answer. */
export async function openLines({
  dialer,
  from,
  to,
  otherMasters,
}: {
  readonly dialer: ClusterDialer;
  readonly from: string;
  readonly to: string;
  readonly otherMasters: readonly string[];
}): Promise<Lines> {
  const opened: NodeConnection[] = [];
  const dial = async (id: string): Promise<NodeConnection> => {
    const connection = await dialer.dial(id);
    opened.push(connection);
    return connection;
  };
  const close = (): void => {
    for (const connection of opened) connection.close();
  };
  try {
    const lanes: Lane[] = [];
    for (let count = 0; count < laneCount; count++) {
      const [source, target, ...carriers] = await Promise.all([
        dial(from),
        dial(to),
        ...Array.from({ length: carriersPerLane }, () => dial(from)),
      ]);
      lanes.push({ source, target, carriers });
    }
    const masters = await dialReachable(dial, otherMasters);
    const others = [...masters.values()];
    const [first] = lanes;
    if (first === undefined) throw new RangeError('a move needs a lane');
    masters.set(from, first.source).set(to, first.target);
    return { lanes, first, others, masters, close };
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
