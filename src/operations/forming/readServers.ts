import { lookup } from 'node:dns/promises';
import { formatAddress, isKubernetesRef, parseAddress, type Address } from '../../model/clusterRef.ts';
import { messageOf, UserError } from '../../model/errors.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { nodeName } from '../../model/shards.ts';
import type * as redisEntry from '../../redis/entry.ts';
import type { ClusterDialer, NodeConnection } from '../../redis/nodeConnection.ts';
import { withConnection } from '../servers/withConnection.ts';
import type { FormFacts, FormObstacle, FormServer } from './server.ts';

/** Milliseconds for asking one server. */
export const formTimes = { connectTimeoutMs: 5_000, commandTimeoutMs: 10_000 };

type Redis = Pick<typeof redisEntry, 'connectNode' | 'readNodeView' | 'myId'>;

/**
 * Asks each server of the snapshot itself, at the address by which the others will reach it where that can be dialled
 * from here. What keeps one from being used is an obstacle; only bugs are thrown. Changes nothing.
 */
export async function readFormServers(
  snapshot: ClusterSnapshot,
  dialer: ClusterDialer,
  redis: Redis,
): Promise<FormFacts> {
  const { ref, nodes } = snapshot;
  const reads = isKubernetesRef(ref)
    ? [
        ...nodes.map((node) => attempt(nodeName(node), () => readPod(node, dialer, redis))),
        ...podsNotRead(snapshot).map((obstacle) => Promise.resolve(obstacle)),
      ]
    : ref.addresses.map((address) => attempt(address, () => readAddress(address, dialer, redis)));
  const results = await Promise.all(reads);
  return {
    servers: results.filter((one): one is FormServer => 'id' in one),
    obstacles: results.filter((one): one is FormObstacle => 'why' in one),
  };
}

async function attempt(name: string, read: () => Promise<FormServer>): Promise<FormServer | FormObstacle> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof TypeError) throw error;
    return { name, why: messageOf(error) };
  }
}

function podsNotRead({ loosePods, unread, workloads }: ClusterSnapshot): readonly FormObstacle[] {
  const loose = loosePods.map(({ name, uid, phase, reason }) => ({
    name,
    why: unread.find(({ pod }) => pod?.uid === uid)?.failure.message ?? reason ?? `Phase ${phase}.`,
  }));
  const own = workloads.filter(({ bundled }) => bundled).map(({ name }) => name);
  return [
    ...loose,
    ...own.map((name) => ({
      name,
      why: 'its pods’ agents form the cluster by themselves; their logs show what they wait for.',
    })),
  ];
}

async function readPod(node: RedisNode, dialer: ClusterDialer, redis: Redis): Promise<FormServer> {
  const { pod } = node;
  if (pod?.ip === undefined) throw new UserError('unreachable', 'No pod with an address is known for it.');
  const { ip, port, worker = '' } = pod;
  return withConnection({ dialer }, node.id, async (connection) => {
    const server = await readServer(connection, nodeName(node), { host: ip, port }, worker, dialer, redis);
    if (server.id === node.id) return server;
    throw new UserError('unsafe', `Node ${server.id} answers in place of ${node.id}.`);
  });
}

/** Servers resolve no names, so the address stands for the name from here on. */
async function readAddress(text: string, dialer: ClusterDialer, redis: Redis): Promise<FormServer> {
  const { host: name, port } = parseAddress(text);
  const { address: host } = await lookup(name, { order: 'ipv4first' });
  const connection = await redis.connectNode({ host, port }, dialer.credentials, formTimes);
  try {
    return await readServer(connection, text, { host, port }, host, dialer, redis);
  } finally {
    connection.close();
  }
}

async function readServer(
  connection: NodeConnection,
  name: string,
  at: Address,
  place: string,
  { credentials }: ClusterDialer,
  redis: Redis,
): Promise<FormServer> {
  const view = await redis.readNodeView(connection);
  const { self, others, keys, replication, version } = view;
  const settings = await readSettings(connection);
  await refuseElsewhere(self, at, settings, credentials, redis);
  const lacksMasterAuth = credentials.password !== undefined && settings.get('masterauth') === '';
  return {
    id: self.id,
    name,
    ...at,
    busPort: self.busPort,
    place,
    keys,
    slots: self.slots,
    version,
    role: replication.role,
    lacksMasterAuth,
    others: others.filter(({ flags }) => !flags.includes('handshake')).map(({ id }) => id),
  };
}

/** What a server announces is where the others will look for it: another server there would be introduced in its place. */
async function refuseElsewhere(
  self: { readonly id: string; readonly host: string; readonly port: number },
  at: Address,
  settings: ReadonlyMap<string, string>,
  credentials: ClusterDialer['credentials'],
  redis: Redis,
): Promise<void> {
  // Without a setting the address is from an earlier cluster, and the first MEET corrects it.
  const isOld = settings.get('cluster-announce-ip') === '';
  const host = self.host === '' || isOld ? at.host : self.host;
  if (self.port === at.port && host === at.host) return;
  const announced = { host, port: self.port };
  const id = await redis
    .connectNode(announced, credentials, formTimes)
    .then(async (connection) =>
      redis.myId(connection).finally(() => {
        connection.close();
      }),
    )
    .catch((error: unknown) => messageOf(error));
  if (id === self.id) return;
  throw new UserError(
    'unsafe',
    `it announces ${formatAddress(announced)} (cluster-announce-ip and cluster-announce-port) and was reached at ${formatAddress(at)}, and that the same server is at both cannot be confirmed (${id}). The others would look for it at the announced address: form the cluster from where that leads to it, or correct the setting.`,
  );
}

/** Those that matter here and that the user may read. */
async function readSettings(connection: NodeConnection): Promise<ReadonlyMap<string, string>> {
  const names = ['masterauth', 'cluster-announce-ip'];
  const replies = await connection.pipeline(names.map((name) => ['CONFIG', 'GET', name]));
  return new Map(
    names.flatMap((name, index) => {
      const reply = replies[index];
      return Array.isArray(reply) && typeof reply[1] === 'string' ? [[name, reply[1]] as const] : [];
    }),
  );
}
