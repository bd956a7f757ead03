import { UserError } from '../model/errors.ts';
import type { KnownNode, NodeView, OpenSlot, ReplicationView } from '../model/nodeView.ts';
import { slotSet, type SlotRange } from '../model/slots.ts';
import type { NodeConnection } from './nodeConnection.ts';

/**
 * Asks one server for all it knows, in one round trip. Throws UserError `invalid-input` where the server does not run
 * in cluster mode, and `busy` where it is still loading its data and so does not tell who it is.
 */
export async function readNodeView(connection: NodeConnection, signal?: AbortSignal): Promise<NodeView> {
  signal?.throwIfAborted();
  const replies = await connection.pipeline([['CLUSTER', 'NODES'], ['CLUSTER', 'INFO'], ['INFO']]);
  signal?.throwIfAborted();
  const refusal = replies.find((reply) => reply instanceof Error);
  if (refusal !== undefined) throw explain(refusal);
  const [nodes, clusterInfo, info] = replies.map(String);
  return nodeView(nodes ?? '', clusterInfo ?? '', info ?? '');
}

function explain(refusal: Error): Error {
  if (refusal.message.includes('cluster support disabled')) {
    return new UserError(
      'invalid-input',
      'This server does not run in cluster mode: its configuration lacks "cluster-enabled yes".',
      { cause: refusal },
    );
  }
  if (refusal.message.startsWith('LOADING')) {
    return new UserError('busy', 'This server is still loading its data into memory.', { cause: refusal });
  }
  return refusal;
}

/** Joins the three texts of one server: CLUSTER NODES, CLUSTER INFO and INFO. */
export function nodeView(nodesText: string, clusterInfoText: string, infoText: string): NodeView {
  const { self, others } = parseClusterNodes(nodesText);
  const cluster = parseInfo(clusterInfoText);
  const info = parseInfo(infoText);
  const number = (fields: ReadonlyMap<string, string>, field: string): number =>
    Number(fields.get(field) ?? 0) || 0;
  const valkey = info.get('server_name') === 'valkey' || info.has('valkey_version');
  return {
    self,
    others,
    clusterState: cluster.get('cluster_state') === 'ok' ? 'ok' : 'fail',
    slotsAssigned: number(cluster, 'cluster_slots_assigned'),
    currentEpoch: number(cluster, 'cluster_current_epoch'),
    product: valkey ? 'valkey' : 'redis',
    version: info.get(valkey ? 'valkey_version' : 'redis_version') ?? '',
    loading: info.get('loading') === '1' || info.get('async_loading') === '1',
    keys: keysIn(info),
    usedMemoryBytes: number(info, 'used_memory'),
    maxMemoryBytes: number(info, 'maxmemory'),
    uncountedMemoryBytes: number(info, 'mem_not_counted_for_evict'),
    evictionPolicy: info.get('maxmemory_policy') ?? '',
    persistence: {
      appendOnlyWritten: info.get('aof_last_write_status') !== 'err',
      appendOnlyRewritten: info.get('aof_last_bgrewrite_status') !== 'err',
      snapshotSaved: info.get('rdb_last_bgsave_status') !== 'err',
    },
    uptimeSeconds: number(info, 'uptime_in_seconds'),
    replication: replicationOf(info),
  };
}

/** Reads the answer to INFO replication. Throws where it was an error. */
export function parseReplication(reply: unknown): ReplicationView {
  if (reply instanceof Error) throw reply;
  return replicationOf(parseInfo(String(reply)));
}

/** Reads CLUSTER NODES. The server that was asked is the line flagged `myself`. */
export function parseClusterNodes(text: string): { self: KnownNode; others: readonly KnownNode[] } {
  let self: KnownNode | undefined;
  const others: KnownNode[] = [];
  for (const untrimmed of text.split('\n')) {
    const line = untrimmed.trim();
    if (line === '') continue;
    const node = sharedLine(line);
    if (node.flags.includes('myself')) {
      self = { ...node, flags: node.flags.filter((flag) => flag !== 'myself') };
    } else others.push(node);
  }
  if (self === undefined) {
    throw new UserError('failed', 'The server did not name itself in its reply to CLUSTER NODES.');
  }
  return { self, others };
}

/**
 * The nodes of a cluster say the same of each other but for the times of ping and pong: of the 40,000 lines that 200
 * nodes say some hundreds differ. Each of those is read, and kept in memory, once. By what stands before the times.
 */
const sharedLines = new Map<string, { readonly after: string; readonly node: KnownNode }>();
const mostSharedLines = 5000;

/** `<id> <ip:port@busport[,hostname[,aux=value …]]> <flags> <master> <ping> <pong> <epoch> <link> <slot> …` */
function sharedLine(line: string): KnownNode {
  const times = spaceAfter(line, 4);
  const rest = spaceAfter(line, 2, times + 1);
  if (times === -1 || rest === -1) return parseLine(line);
  const [before, after] = [line.slice(0, times), line.slice(rest)];
  const known = sharedLines.get(before);
  if (known?.after === after) return known.node;
  const node = parseLine(before + after);
  if (sharedLines.size >= mostSharedLines) sharedLines.clear();
  sharedLines.set(before, { after, node });
  return node;
}

/** Where so many words, from a position on, end; -1 where there are not as many. */
function spaceAfter(text: string, words: number, from = 0): number {
  let at = from - 1;
  for (let word = 0; word < words; word++) {
    at = text.indexOf(' ', at + 1);
    if (at === -1) return -1;
  }
  return at;
}

/** A line without the times of ping and pong. */
function parseLine(line: string): KnownNode {
  const [id = '', address = '', flags = '', master = '-', epoch = '0', link = '', ...slots] = line.split(' ');
  const [endpoint = '', ...extras] = address.split(',');
  // Older servers leave the hostname out, newer ones leave it empty before the auxiliary fields.
  const hostname = extras.find((extra) => extra !== '' && !extra.includes('='));
  const ranges = slots.filter((slot) => !slot.startsWith('['));
  return {
    id,
    ...parseEndpoint(endpoint),
    ...(hostname === undefined ? {} : { hostname }),
    flags: flags.split(',').filter((flag) => flag !== ''),
    ...(master === '-' ? {} : { masterId: master }),
    configEpoch: Number(epoch) || 0,
    linkState: link === 'connected' ? 'connected' : 'disconnected',
    slots: slotSet(ranges.map(parseRange)),
    migrating: openSlots(slots, '->-'),
    importing: openSlots(slots, '-<-'),
  };
}

/** Cuts at the last `@`, then at the last `:`, since IPv6 addresses stand there without brackets. */
function parseEndpoint(text: string): { host: string; port: number; busPort: number } {
  const at = text.lastIndexOf('@');
  const address = at === -1 ? text : text.slice(0, at);
  const colon = address.lastIndexOf(':');
  const port = Number(address.slice(colon + 1)) || 0;
  const busPort = at === -1 ? port + 10_000 : Number(text.slice(at + 1)) || 0;
  return { host: colon === -1 ? '' : address.slice(0, colon), port, busPort };
}

function parseRange(text: string): SlotRange {
  const [start = '0', end = start] = text.split('-');
  return [Number(start), Number(end)];
}

function openSlots(fields: readonly string[], arrow: '->-' | '-<-'): readonly OpenSlot[] {
  return fields.flatMap((field) => {
    const [slot, nodeId] = field.startsWith('[') ? field.slice(1, -1).split(arrow) : [];
    return slot === undefined || nodeId === undefined ? [] : [{ slot: Number(slot), nodeId }];
  });
}

function parseInfo(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1).trimEnd());
  }
  return fields;
}

function keysIn(info: ReadonlyMap<string, string>): number {
  let keys = 0;
  for (const [field, value] of info) {
    if (/^db\d+$/.test(field)) keys += Number(/keys=(\d+)/.exec(value)?.[1] ?? 0);
  }
  return keys;
}

function replicationOf(info: ReadonlyMap<string, string>): ReplicationView {
  if (info.get('role') === 'slave') {
    return {
      role: 'replica',
      offset: Number(info.get('slave_repl_offset') ?? 0),
      linkUp: info.get('master_link_status') === 'up',
      syncing: info.get('master_sync_in_progress') === '1',
      replicas: [],
    };
  }
  const replicas = [...info]
    .filter(([field]) => /^slave\d+$/.test(field))
    .map(([, value]) => attached(value));
  return { role: 'master', offset: Number(info.get('master_repl_offset') ?? 0), replicas };
}

/** `ip=127.0.0.1,port=7003,state=online,offset=1234,lag=0` */
function attached(value: string): ReplicationView['replicas'][number] {
  const fields = new Map(
    value.split(',').map((part): [string, string] => {
      const [field = '', text = ''] = part.split('=');
      return [field, text];
    }),
  );
  return {
    host: fields.get('ip') ?? '',
    port: Number(fields.get('port') ?? 0),
    offset: Number(fields.get('offset') ?? 0),
    online: fields.get('state') === 'online',
  };
}
