import { UserError } from '../../model/errors.ts';
import type { NodeView } from '../../model/nodeView.ts';
import { quantity } from '../../model/quantity.ts';
import { slotsText } from '../../model/shards.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { formatSlots, intersectSlots, slotCount, subtractSlots } from '../../model/slots.ts';
import type { NodeConnection } from '../../redis/nodeConnection.ts';
import { answers, memberOf, nameOf, refusal } from '../servers/nodes.ts';
import { withConnection } from '../servers/withConnection.ts';
import type { StepPorts } from './ports.ts';
import { listOrNone, nodeId, slots } from './fields.ts';
import { always, losesNothing, never, type StepData, type StepDefinition } from './step.ts';

/** Milliseconds for all shards of the cluster to be there and known; a server with a slow disk takes seconds for its first copy. */
const limits = { any: 60_000, eachNode: 500 };
const tellEvery = 3_000;
const pollEvery = 100;

const fields = { node: nodeId, slots, replicas: listOrNone(nodeId) };

type FormShard = StepData<'formShard', typeof fields>;

/** Gives an empty master its slots and its replicas, and waits until the whole cluster serves all slots. */
export const formShard: StepDefinition<'formShard', typeof fields> = {
  kind: 'formShard',
  description: 'Gives an empty master of a cluster that is being formed its slots and its replicas.',
  fields,
  example: { node: '0000000000000000000000000000000000000000', slots: '0-99,200', replicas: [] },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  // Each waits until the cluster is whole, for which all of them are needed.
  goesWith: always,
  shownBy: 'snapshot',
  text: ({ node, slots, replicas }, nameOf) =>
    `Give ${nameOf(node)} ${slotsText(slots)} (${formatSlots(slots)}) and ${replicas.length === 0 ? 'no replica' : `the replicas ${replicas.map(nameOf).join(', ')}`}`,
  ...losesNothing,
  command: ({ node, slots, replicas }, shell) => [
    shell.redis(node, 'CLUSTER', 'ADDSLOTSRANGE', ...slots.flat().map(String)),
    ...replicas.map((id) => shell.redis(id, 'CLUSTER', 'REPLICATE', node)),
  ],
  isDone: (step, snapshot) =>
    [step.node, ...step.replicas].every((id) => {
      const own = snapshot.nodes.find((node) => node.id === id);
      return answers(own) && isSettled(step, own.view);
    }),
  check: (step, snapshot) => {
    for (const id of [step.node, ...step.replicas]) refuseUnready(step, id, snapshot);
  },
  act: async (step, ports) => {
    const { redis } = ports;
    await onNode(step.node, ports, async (connection) => {
      const { self, keys } = await redis.readNodeView(connection);
      if (keys > 0) throw holdsKeys(step.node, keys, ports.snapshot);
      const left = subtractSlots(step.slots, self.slots);
      if (left.length > 0) await redis.addSlots(connection, left);
    });
    await Promise.all(
      step.replicas.map((id) =>
        onNode(id, ports, async (connection) => {
          const { self, keys, replication } = await redis.readNodeView(connection);
          if (replication.role === 'replica' && self.masterId === step.node) return;
          if (keys > 0) throw holdsKeys(id, keys, ports.snapshot);
          await redis.replicate(connection, step.node);
        }),
      ),
    );
    await untilSettled(step, ports);
  },
};

function isSettled({ node, slots }: FormShard, view: NodeView): boolean {
  if (view.clusterState !== 'ok' || view.slotsAssigned !== slotCount) return false;
  if (view.self.id === node) return subtractSlots(slots, view.self.slots).length === 0;
  return view.self.masterId === node && view.replication.linkUp === true;
}

function refuseUnready({ node, slots }: FormShard, id: string, snapshot: ClusterSnapshot): void {
  const own = memberOf(snapshot, id);
  const name = nameOf(snapshot, id);
  if (!answers(own)) throw refusal('unreachable', `${name} does not answer.`);
  if (id === node) {
    const owner = snapshot.nodes.find(
      (one) => one.id !== node && intersectSlots(one.slots, slots).length > 0,
    );
    if (owner !== undefined) {
      throw refusal('unsafe', `${nameOf(snapshot, owner.id)} now owns some of slots ${formatSlots(slots)}.`);
    }
    if (own.role === 'master') return;
    throw refusal('unsafe', `${name} is now a replica.`);
  }
  if (own.role === 'replica' ? own.masterId === node : own.slots.length === 0) return;
  throw refusal('unsafe', `${name} now has another role in the cluster.`);
}

function holdsKeys(id: string, keys: number, snapshot: ClusterSnapshot): UserError {
  return new UserError(
    'unsafe',
    `${nameOf(snapshot, id)} holds ${quantity(keys, 'key')} now and was not changed: it should be empty.`,
  );
}

/** Lends a connection on which the server has just said that it is the node that is meant. */
async function onNode<T>(
  id: string,
  ports: StepPorts,
  use: (connection: NodeConnection) => Promise<T>,
): Promise<T> {
  return withConnection(ports, id, async (connection) => {
    const found = await ports.redis.myId(connection);
    if (found === id) return use(connection);
    throw refusal('unsafe', `Node ${found} answers in place of ${nameOf(ports.snapshot, id)}.`);
  });
}

async function untilSettled(step: FormShard, ports: StepPorts): Promise<void> {
  const { snapshot, now, delay, signal, report, redis } = ports;
  const ids = [step.node, ...step.replicas];
  const begun = now();
  const end = begun + limits.any + limits.eachNode * snapshot.nodes.length;
  let tellAt = begun + tellEvery;
  while (!signal.aborted) {
    const views = await Promise.all(ids.map((id) => withConnection(ports, id, redis.readNodeView)));
    const waiting = views.filter((view) => !isSettled(step, view));
    const [first] = waiting;
    if (first === undefined) return;
    const name = nameOf(snapshot, first.self.id);
    if (now() > end) {
      throw new UserError(
        'failed',
        `${name} does not report a complete cluster: state ${first.clusterState}, ${quantity(first.slotsAssigned, 'slot')} assigned${first.self.id === step.node ? '' : `, link to its master ${first.replication.linkUp === true ? 'up' : 'down'}`}. It is safe to run it again.`,
      );
    }
    report({ text: `${name}: waiting until all slots are served` });
    if (now() >= tellAt) {
      await tellSlots(step, ports);
      tellAt = now() + tellEvery;
    }
    await delay(pollEvery, signal);
  }
}

/** A MEET message says the master's slots at once; by gossip many servers learn of them only after minutes. */
async function tellSlots(step: FormShard, ports: StepPorts): Promise<void> {
  const { snapshot, redis } = ports;
  const others = snapshot.nodes.filter(({ id }) => id !== step.node);
  const ignorant = await Promise.all(
    others.map(async (other) => {
      const { others: lines } = await withConnection(ports, other.id, redis.readNodeView);
      const line = lines.find(({ id }) => id === step.node);
      return line !== undefined && subtractSlots(step.slots, line.slots).length > 0 ? [other] : [];
    }),
  );
  await onNode(step.node, ports, async (connection) => {
    const { others: known } = await redis.readNodeView(connection);
    for (const { id } of ignorant.flat()) {
      const at = known.find((line) => line.id === id && line.linkState === 'connected');
      if (at !== undefined) await redis.meet(connection, at);
    }
  });
}
