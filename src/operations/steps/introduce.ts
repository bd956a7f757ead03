import { formatAddress, isKubernetesRef } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { NodeView } from '../../model/nodeView.ts';
import { quantity } from '../../model/quantity.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import type { NodeConnection } from '../../redis/nodeConnection.ts';
import { formTimes } from '../forming/readServers.ts';
import { answers, refusal } from '../servers/nodes.ts';
import { withConnection } from '../servers/withConnection.ts';
import type { StepPorts } from './ports.ts';
import { listOf, serverAt } from './fields.ts';
import { losesNothing, never, type StepData, type StepDefinition } from './step.ts';

type Server = Introduce['servers'][number];

/** Milliseconds for all to know all: a handshake takes a heartbeat or two, and each has one with each. */
const limits = { any: 60_000, eachServer: 500 };
const repeatEvery = 5_000;
const pollEvery = 250;

const fields = { servers: listOf(serverAt) };

type Introduce = StepData<'introduce', typeof fields>;

/** Makes empty servers know one another, and nobody else. */
export const introduce: StepDefinition<'introduce', typeof fields> = {
  kind: 'introduce',
  description: 'Introduces empty servers, which know no other server, to one another.',
  fields,
  example: {
    servers: [
      { node: '0000000000000000000000000000000000000000', host: '10.0.0.1', port: 6379, busPort: 16_379 },
      { node: '1111111111111111111111111111111111111111', host: '10.0.0.2', port: 6379, busPort: 16_379 },
    ],
  },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'snapshot',
  text: ({ servers }, nameOf) =>
    `Introduce ${servers.map((server) => placeText(server, nameOf(server.node))).join(', ')} to each other`,
  ...losesNothing,
  command: ({ servers }, shell) =>
    servers.flatMap(({ node }, index) =>
      servers
        .slice(index + 1)
        .map(({ host, port, busPort }) =>
          shell.redis(node, 'CLUSTER', 'MEET', host, String(port), String(busPort)),
        ),
    ),
  isDone: ({ servers }, { nodes }) =>
    servers.every(({ node }) => {
      const own = nodes.find(({ id }) => id === node);
      return answers(own) && missing(servers, own.view).length === 0;
    }),
  check: async ({ servers }, snapshot, ports) => {
    await Promise.all(servers.map((server) => checkServer(server, servers, snapshot, ports)));
  },
  act: async ({ servers }, ports) => {
    const { redis, snapshot, report, now, delay, signal } = ports;
    await Promise.all(
      servers.map((server, index) =>
        onServer(server, ports, async (connection) => {
          const { self, others } = await redis.readNodeView(connection);
          // Redis gives one only to a server that is alone, and equal ones of masters are resolved by the masters.
          if (others.length === 0 && self.configEpoch === 0)
            await redis.setConfigEpoch(connection, index + 1);
        }),
      ),
    );
    const end = now() + limits.any + limits.eachServer * servers.length;
    let repeatAt = 0;
    while (!signal.aborted) {
      const unconnected = await unconnectedOf(servers, ports);
      if (unconnected.length === 0) return;
      report({
        text: `${quantity(servers.length - unconnected.length, 'server')} of ${servers.length} know all others`,
      });
      if (now() > end) throw notConnected(unconnected, snapshot);
      if (now() >= repeatAt) {
        for (const { server, unknown } of unconnected) await meetUnknown(server, unknown, ports);
        repeatAt = now() + repeatEvery;
      }
      await delay(pollEvery, signal);
    }
  },
};

async function checkServer(
  server: Server,
  servers: readonly Server[],
  snapshot: ClusterSnapshot,
  ports: StepPorts,
): Promise<void> {
  const name = nameOf(server, snapshot);
  const { keys, self, others, replication } = await onServer(server, ports, ports.redis.readNodeView);
  const ids = new Set(servers.map(({ node }) => node));
  const foreign = others.filter(({ id, flags }) => !flags.includes('handshake') && !ids.has(id));
  if (keys === 0 && self.slots.length === 0 && foreign.length === 0 && replication.role === 'master') return;
  throw refusal(
    'unsafe',
    `${name} is no longer empty: it holds ${quantity(keys, 'key')} and ${quantity(self.slots.length, 'slot range')} and knows ${quantity(foreign.length, 'other node')}.`,
  );
}

/**
 * Lends a connection on which the server has just said that it is the one that is meant. Outside Kubernetes it is
 * dialled where the others will look for it; a pod's address is compared with what Kubernetes says now.
 */
async function onServer<T>(
  server: Server,
  { snapshot, dialer, redis }: StepPorts,
  use: (connection: NodeConnection) => Promise<T>,
): Promise<T> {
  const { node, host, port } = server;
  const verified = async (connection: NodeConnection): Promise<T> => {
    const id = await redis.myId(connection);
    if (id === node) return use(connection);
    throw refusal('unsafe', `Node ${id} answers at ${formatAddress({ host, port })} instead of ${node}.`);
  };
  if (isKubernetesRef(snapshot.ref)) {
    const pod = snapshot.nodes.find(({ id }) => id === node)?.pod;
    if (pod !== undefined && pod.ip !== host) {
      throw refusal(
        'unsafe',
        `${nameOf(server, snapshot)} is now at ${pod.ip ?? 'no address'}, not at ${host}.`,
      );
    }
    return withConnection({ dialer }, node, verified);
  }
  const connection = await redis.connectNode({ host, port }, dialer.credentials, formTimes);
  try {
    return await verified(connection);
  } finally {
    connection.close();
  }
}

function placeText({ host, port }: Server, name: string): string {
  const place = formatAddress({ host, port });
  return name === place ? place : `${name} at ${place}`;
}

interface Unconnected {
  readonly server: Server;
  readonly unknown: readonly Server[];
}

async function unconnectedOf(servers: readonly Server[], ports: StepPorts): Promise<readonly Unconnected[]> {
  const all = await Promise.all(
    servers.map(async (server) => {
      const view = await onServer(server, ports, ports.redis.readNodeView);
      return { server, unknown: missing(servers, view) };
    }),
  );
  return all.filter(({ unknown }) => unknown.length > 0);
}

function missing(servers: readonly Server[], { self, others }: NodeView): readonly Server[] {
  return servers.filter(
    ({ node }) =>
      node !== self.id &&
      !others.some(
        ({ id, flags, linkState }) =>
          id === node && linkState === 'connected' && !flags.includes('handshake'),
      ),
  );
}

/** Whom it meets is asked for its id immediately before: at an old address may be a member of another cluster. */
async function meetUnknown(server: Server, unknown: readonly Server[], ports: StepPorts): Promise<void> {
  for (const other of unknown) await onServer(other, ports, () => Promise.resolve());
  await onServer(server, ports, async (connection) => {
    for (const { host, port, busPort } of unknown)
      await ports.redis.meet(connection, { host, port, busPort });
  });
}

function notConnected(unconnected: readonly Unconnected[], snapshot: ClusterSnapshot): UserError {
  const names = (servers: readonly Server[]): string =>
    servers.map((server) => nameOf(server, snapshot)).join(', ');
  const [first] = unconnected;
  const unknown = first?.unknown ?? [];
  return new UserError(
    'failed',
    `${names(unconnected.map(({ server }) => server))} did not connect to all other servers; ${first === undefined ? '' : names([first.server])} still waits for ${names(unknown)}. Their bus ports (${[...new Set(unknown.map(({ busPort }) => busPort))].join(', ')}) must reach each other. No slot was assigned; it is safe to run it again.`,
  );
}

/** Outside Kubernetes a server that no member lists yet is no node of the snapshot. */
function nameOf({ node, host, port }: Server, { nodes }: ClusterSnapshot): string {
  const own = nodes.find(({ id }) => id === node);
  return own === undefined ? formatAddress({ host, port }) : nodeName(own);
}
