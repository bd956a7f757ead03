import { formatAddress, parseAddress } from '../model/clusterRef.ts';
import { linesIn } from '../model/internedNodes.ts';
import type { KnownNode } from '../model/nodeView.ts';
import type {
  ClusterPart,
  ClusterSnapshot,
  Impostor,
  NodeHealth,
  ReadFailure,
  RedisNode,
  UnreadServer,
} from '../model/snapshot.ts';
import { unionSlots } from '../model/slots.ts';
import { confusedAddresses, distinctServers } from './duplicates.ts';
import { components, partOf, splitParts } from './parts.ts';
import { isAnswering, sourceOf, type Answering, type Source } from './source.ts';
import { failedIn, gossipOnly } from './gossip.ts';

/** What the servers said, as one cluster. */
export type Merged = Pick<
  ClusterSnapshot,
  | 'nodes'
  | 'unknownNodes'
  | 'loosePods'
  | 'unread'
  | 'impostors'
  | 'otherParts'
  | 'mergedFrom'
  | 'duplicateIds'
>;

/** What is known beside what the servers said. */
export interface MergeContext {
  /** The ids of the nodes that were the cluster when it was read last. */
  readonly known?: ReadonlySet<string>;
  /** Servers that are no members, each at a member's address or at one that the user named. */
  readonly apart?: readonly Source[];
  readonly impostors?: readonly Impostor[];
  readonly mergedFrom?: readonly string[];
}

/**
 * Merges every node's own view into one list. A node that answers is what its `myself` line says, never what gossip
 * says (gossip of roles lags by up to half the node timeout); one that does not answer is what its peers say.
 */
export function mergeViews(sources: readonly Source[], context: MergeContext = {}): Merged {
  const { known, apart = [], impostors = [], mergedFrom = [] } = context;
  const { servers, duplicateIds } = distinctServers(sources.filter(isAnswering));
  const {
    parts: [members = [], ...others],
    blank,
  } = splitParts(servers, known);
  const views = members.map(({ reading }) => reading.view);
  const alive = new Map(views.map((view) => [view.self.id, view]));
  const lines = linesIn(views);
  const listed = gossipOnly(lines, alive);
  const isMember = new Set<Source>(members);
  const isDistinct = new Set<Source>(servers);
  const rest = sources.filter(
    (source) => !isMember.has(source) && (!isAnswering(source) || isDistinct.has(source)),
  );
  const failed = failedIn(lines);

  const own = members.map((source) => ownNode(source, failed));
  const taken = new Set<Source>();
  const nodes: RedisNode[] = [...own];
  const unknownNodes: KnownNode[] = [];
  const masters = new Set(own.map(({ masterId }) => masterId));
  for (const line of livingFirst(listed.values())) {
    const source = sourceOf(
      line,
      rest.filter((candidate) => !taken.has(candidate)),
    );
    if (source !== undefined) taken.add(source);
    const isCounted = source !== undefined || line.slots.length > 0 || masters.has(line.id);
    if (isCounted) nodes.push(gossipNode(line, source, failed));
    else unknownNodes.push(line);
  }
  const named = apart.filter(isAnswering);
  const alone = blank.filter((source) => !taken.has(source)).map((source) => [source]);
  return {
    nodes: withLag(nodes).sort(byName),
    unknownNodes,
    loosePods: rest.flatMap((source) => (source.pod === undefined || taken.has(source) ? [] : [source.pod])),
    unread: rest.flatMap(unreadServer),
    impostors: [...impostors, ...confusedAddresses(members)],
    ...(duplicateIds.length === 0 ? {} : { duplicateIds }),
    otherParts: otherParts([...others, ...alone, ...components(named)], nodes, {
      failed,
      named,
      // Who is just being introduced was no member that could be missed.
      isMissed: unknownNodes.some(({ flags }) => !flags.includes('handshake')),
    }),
    mergedFrom,
  };
}

function otherParts(
  parts: readonly (readonly Answering[])[],
  nodes: readonly RedisNode[],
  {
    failed,
    named,
    isMissed,
  }: {
    readonly failed: ReadonlySet<string>;
    readonly named: readonly Source[];
    readonly isMissed: boolean;
  },
): readonly ClusterPart[] {
  if (parts.length === 0) return [];
  const main = {
    slots: unionSlots(...nodes.map(({ slots }) => slots)),
    isMissed: isMissed || nodes.some(({ view }) => view === undefined),
    uptimeSeconds: Math.max(0, ...nodes.map(({ view }) => view?.uptimeSeconds ?? 0)),
  };
  return parts.map((part) =>
    partOf(
      part,
      part.map((source) => ownNode(source, failed)),
      { ...main, isNamed: part.every((source) => named.includes(source)) },
    ),
  );
}

/** An address that two lines share is that of the node that lives: the other is what the server was before. */
function livingFirst(lines: Iterable<KnownNode>): readonly KnownNode[] {
  const isFailed = ({ flags }: KnownNode): number => (flags.includes('fail') ? 1 : 0);
  return [...lines].sort((a, b) => isFailed(a) - isFailed(b));
}

function unreadServer({ reading, pod, address }: Source): readonly UnreadServer[] {
  if (reading.view !== undefined) return [];
  const failure = reading.failure ?? { reason: 'timeout', message: 'It has not answered yet.' };
  return [
    {
      failure,
      ...(pod === undefined ? {} : { pod }),
      ...(address === undefined ? {} : { address }),
    },
  ];
}

function ownNode(source: Answering, failed: ReadonlySet<string>): RedisNode {
  const { reading, pod, address, dialled } = source;
  const { view } = reading;
  const { self } = view;
  const ails = view.clusterState === 'fail' || view.loading || view.replication.linkUp === false;
  return {
    id: self.id,
    host: self.host === '' ? hostOf(source) : self.host,
    port: self.port,
    busPort: self.busPort,
    ...roleOf(self),
    slots: self.slots,
    configEpoch: self.configEpoch,
    health: ails || failed.has(self.id) ? 'degraded' : 'ok',
    view,
    ...(pod === undefined ? {} : { pod }),
    ...(address === undefined ? {} : { reachedAt: dialled ?? address }),
    ...(reading.viaExec === true ? { viaExec: true } : {}),
  };
}

function hostOf({ pod, address }: Pick<Source, 'pod' | 'address'>): string {
  return pod?.ip ?? (address === undefined ? '' : parseAddress(address).host);
}

function gossipNode(line: KnownNode, source: Source | undefined, failed: ReadonlySet<string>): RedisNode {
  const health: NodeHealth = failed.has(line.id) ? 'failed' : 'unreachable';
  const unknown: ReadFailure = { reason: 'unreachable', message: whyUnknown(line, source) };
  return {
    id: line.id,
    host: line.host,
    port: line.port,
    busPort: line.busPort,
    ...roleOf(line),
    slots: line.slots,
    configEpoch: line.configEpoch,
    health,
    unreachable: source?.reading.failure ?? unknown,
    ...(source?.pod === undefined ? {} : { pod: source.pod }),
  };
}

function whyUnknown({ flags }: KnownNode, source: Source | undefined): string {
  if (source?.reading.view !== undefined) return 'The server answers, but no longer knows any other node.';
  return flags.includes('noaddr')
    ? 'The nodes that list it have no address for it.'
    : 'No pod or address of this node is known.';
}

function roleOf(line: KnownNode): Pick<RedisNode, 'role' | 'masterId'> {
  if (line.flags.includes('slave') && line.masterId !== undefined)
    return { role: 'replica', masterId: line.masterId };
  return { role: 'master' };
}

function withLag(nodes: readonly RedisNode[]): RedisNode[] {
  const offsets = new Map(nodes.map((node) => [node.id, node.view?.replication.offset]));
  return nodes.map((node) => {
    const own = node.view?.replication.offset;
    const masters = node.masterId === undefined ? undefined : offsets.get(node.masterId);
    return own === undefined || masters === undefined
      ? node
      : { ...node, lagBytes: Math.max(0, masters - own) };
  });
}

/** Made once: to compare two hundred names each by a collation of its own takes thirteen milliseconds. */
const names = new Intl.Collator('en', { numeric: true });

function byName(a: RedisNode, b: RedisNode): number {
  const name = (node: RedisNode): string => node.pod?.name ?? formatAddress(node);
  return names.compare(name(a), name(b)) || (a.id < b.id ? -1 : 1);
}
