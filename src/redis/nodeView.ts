import { DeniedCommand, messageOf, UserError } from '../model/errors.ts';
import { internedNodes, type ClusterNodes } from '../model/internedNodes.ts';
import type { DeniedQuestion, NodeView, ReplicationView } from '../model/nodeView.ts';
import { serverName } from '../model/serverText.ts';
import { countSlots, slotCount } from '../model/slots.ts';
import { parseClusterNodes } from './clusterNodes.ts';
import { infoFields, type InfoFields } from './infoFields.ts';
import type { NodeConnection } from './nodeConnection.ts';

interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** What the server does not allow is left out and named in the view's `denied`; otherwise it is thrown. */
  readonly evenPartly?: boolean;
}

/** What reading needs, and what each command says. */
const questions = [
  { command: ['CLUSTER', 'NODES'], says: 'nodes, roles, slots' },
  { command: ['CLUSTER', 'INFO'], says: 'cluster state' },
  { command: ['INFO'], says: 'keys, memory, replication, version' },
] as const;

/**
 * Asks one server for all it knows, in one round trip. Throws UserError `invalid-input` where the server does not run
 * in cluster mode, `busy` where it is still loading its data and so does not tell who it is, and DeniedCommand where it
 * does not run a command that is needed.
 */
export async function readNodeView(
  connection: NodeConnection,
  { signal, evenPartly = false }: ReadOptions = {},
): Promise<NodeView> {
  signal?.throwIfAborted();
  const replies = await connection.pipelineBuffer(questions.map(({ command }) => command));
  signal?.throwIfAborted();
  const denied: DeniedQuestion[] = [];
  for (const [index, { command, says }] of questions.entries()) {
    const reply = replies[index];
    if (!(reply instanceof Error)) continue;
    const name = command.join(' ');
    if (!isDenied(reply)) throw explain(reply);
    // Without its lines nothing is known of the server, not even who it is.
    if (index === 0 || !evenPartly)
      throw new DeniedCommand(`${name} is denied, which reports ${says}: ${reply.message}`, { cause: reply });
    denied.push({ command: name, says, reply: reply.message });
  }
  const [nodes, clusterInfo, info] = replies;
  const known = internedNodes.nodesIn(connection, nodes as Buffer, parseClusterNodes);
  const text = (reply: unknown): string => (reply instanceof Error ? '' : String(reply));
  const view = nodeView(known, text(clusterInfo), text(info));
  return denied.length === 0 ? view : { ...view, ...factsFromNodes(known, replies), denied };
}

/** An ACL or a renamed command; the server runs, and others may ask it. */
export function isDenied(error: unknown): boolean {
  const message = messageOf(error);
  return /\bNOPERM\b/.test(message) || /unknown (?:sub)?command/i.test(message);
}

/** What CLUSTER NODES says of that which the denied commands report. */
function factsFromNodes({ self, others }: ClusterNodes, replies: readonly unknown[]): Partial<NodeView> {
  const [, clusterInfo, info] = replies;
  const lines = [self, ...others];
  const slotsAssigned = lines.reduce((sum, { slots }) => sum + countSlots(slots), 0);
  const hasFailed = lines.some(({ flags, slots }) => slots.length > 0 && flags.includes('fail'));
  const isReplica = self.flags.includes('slave');
  return {
    ...(clusterInfo instanceof Error
      ? {
          slotsAssigned,
          clusterState: slotsAssigned === slotCount && !hasFailed ? 'ok' : 'fail',
          currentEpoch: Math.max(...lines.map(({ configEpoch }) => configEpoch)),
        }
      : {}),
    ...(info instanceof Error
      ? { replication: { role: isReplica ? 'replica' : 'master', offset: 0, replicas: [] } }
      : {}),
  };
}

function explain(refusal: Error): Error {
  if (refusal.message.includes('cluster support disabled')) {
    return new UserError(
      'not-clustered',
      'This server does not run in cluster mode: its configuration lacks "cluster-enabled yes".',
      { cause: refusal },
    );
  }
  if (refusal.message.startsWith('LOADING')) {
    return new UserError('busy', 'This server is still loading its data into memory.', { cause: refusal });
  }
  return refusal;
}

/** Joins what one server says in CLUSTER NODES with the texts of CLUSTER INFO and INFO. */
export function nodeView(
  { self, others }: ClusterNodes,
  clusterInfoText: string,
  infoText: string,
): NodeView {
  const cluster = infoFields(clusterInfoText);
  const info = infoFields(infoText);
  // Fields that Redis has not are looked for where they would stand, not in all of it.
  const server = infoFields(infoText.slice(0, infoText.indexOf('\n# ', 1)));
  const valkeyVersion = server.text('valkey_version');
  const runId = server.text('run_id');
  const isValkey = valkeyVersion !== undefined || server.text('server_name') === 'valkey';
  return {
    self,
    others,
    clusterState: cluster.text('cluster_state') === 'ok' ? 'ok' : 'fail',
    slotsAssigned: cluster.number('cluster_slots_assigned'),
    currentEpoch: cluster.number('cluster_current_epoch'),
    product: isValkey ? 'valkey' : 'redis',
    version: serverName((isValkey ? valkeyVersion : server.text('redis_version')) ?? ''),
    ...(runId === undefined ? {} : { runId: serverName(runId) }),
    uptimeSeconds: server.number('uptime_in_seconds'),
    usedMemoryBytes: info.number('used_memory'),
    maxMemoryBytes: info.number('maxmemory'),
    evictionPolicy: serverName(info.text('maxmemory_policy') ?? ''),
    uncountedMemoryBytes: info.number('mem_not_counted_for_evict'),
    loading: info.text('loading') === '1' || info.text('async_loading') === '1',
    persistence: {
      snapshotSaved: info.text('rdb_last_bgsave_status') !== 'err',
      appendOnlyRewritten: info.text('aof_last_bgrewrite_status') !== 'err',
      ...(neverSaved(info) ? { neverSaved: true } : {}),
      appendOnlyWritten: info.text('aof_last_write_status') !== 'err',
    },
    replication: replicationOf(info),
    keys: keysIn(info),
  };
}

/** INFO does not say whether snapshots are configured, but that none was saved of keys that have changed. */
function neverSaved(info: InfoFields): boolean {
  const isOff = info.text('aof_enabled') === '0' && info.text('rdb_last_bgsave_time_sec') === '-1';
  return isOff && info.number('rdb_changes_since_last_save') > 0;
}

/** Reads the answer to INFO replication. Throws where it was an error. */
export function parseReplication(reply: unknown): ReplicationView {
  if (reply instanceof Error) throw reply;
  return replicationOf(infoFields(String(reply)));
}

function keysIn(info: InfoFields): number {
  return info.numbered('db').reduce((keys, value) => keys + Number(/keys=(\d+)/.exec(value)?.[1] ?? 0), 0);
}

function replicationOf(info: InfoFields): ReplicationView {
  if (info.text('role') === 'slave') {
    const syncing = info.text('master_sync_in_progress') === '1';
    const masterHost = serverName(info.text('master_host') ?? '');
    return {
      role: 'replica',
      offset: info.number('slave_repl_offset'),
      linkUp: info.text('master_link_status') === 'up',
      ...(masterHost === '' ? {} : { masterHost }),
      syncing,
      ...(syncing ? { receivedBytes: info.number('master_sync_read_bytes') } : {}),
      replicas: [],
    };
  }
  return {
    role: 'master',
    offset: info.number('master_repl_offset'),
    replicas: info.numbered('slave').map(attached),
  };
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
    host: serverName(fields.get('ip') ?? ''),
    port: Number(fields.get('port') ?? 0),
    offset: Number(fields.get('offset') ?? 0),
    online: fields.get('state') === 'online',
  };
}
