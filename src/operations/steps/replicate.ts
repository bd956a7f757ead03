import { bytesText } from '../../model/bytes.ts';
import { UserError } from '../../model/errors.ts';
import { misplacedMaster } from '../../model/misplacedMaster.ts';
import type { NodeView } from '../../model/nodeView.ts';
import { answers, nameOf } from '../servers/nodes.ts';
import { refuseImpostor } from '../refusals/refuseImpostor.ts';
import { replicable } from '../refusals/replicating.ts';
import type { StepPorts } from './ports.ts';
import { withConnection } from '../servers/withConnection.ts';
import { nodeIdOrNone, objectName, optional } from './fields.ts';
import { losesNothing, never, type StepDefinition } from './step.ts';

/** Milliseconds without a copy under way, which a replica asks its master for each second, until the master is asked. */
const longestWait = 30_000;
const pollEvery = 100;

const fields = {
  node: nodeIdOrNone,
  master: nodeIdOrNone,
  pod: optional(objectName),
  masterPod: optional(objectName),
};

/** Makes a node a replica, and waits until it has the whole copy. */
export const replicate: StepDefinition<'replicate', typeof fields> = {
  kind: 'replicate',
  description: 'Makes a node a replica of a master.',
  fields,
  example: { node: '', pod: 'shop-7', master: '1111111111111111111111111111111111111111' },
  isSaved: true,
  mayBeUndone: true,
  needsAgents: never,
  shownBy: 'snapshot',
  text: ({ node, pod, master, masterPod }, nameOf) =>
    `Make ${pod ?? nameOf(node)} a replica of ${masterPod ?? nameOf(master)}`,
  ...losesNothing,
  command: ({ node, master }, shell) => [shell.redis(node, 'CLUSTER', 'REPLICATE', master)],
  withNodes: (step, nodeIn) => ({
    ...step,
    ...(step.pod === undefined ? {} : { node: nodeIn(step.pod) }),
    ...(step.masterPod === undefined ? {} : { master: nodeIn(step.masterPod) }),
  }),
  isDone: ({ node, master }, snapshot) => {
    const own = snapshot.nodes.find(({ id }) => id === node);
    if (!answers(own)) return false;
    if (own.role === 'replica') return own.masterId === master && isCopied(own.view);
    // It has taken that master's place since: what was to come of it has come.
    const old = snapshot.nodes.find(({ id }) => id === master);
    return own.slots.length > 0 && (old === undefined || old.masterId === node);
  },
  check: ({ node, master }, snapshot) => {
    replicable(snapshot, node, master);
    refuseImpostor(snapshot, master);
  },
  act: async ({ node, master }, ports) => {
    await withConnection(ports, node, async (connection) => {
      const view = await ports.redis.readNodeView(connection);
      if (view.self.masterId !== master || misplacedMaster(view) !== undefined)
        await ports.redis.replicate(connection, master);
    });
    await untilCopied(node, master, ports);
  },
};

function isCopied(view: {
  readonly replication: { readonly linkUp?: boolean };
  readonly loading: boolean;
}): boolean {
  return view.replication.linkUp === true && !view.loading;
}

/** A copy of many gigabytes takes long, and it is safe to stop waiting: the server goes on by itself. */
async function untilCopied(node: string, master: string, ports: StepPorts): Promise<void> {
  const { redis, now, delay, signal, report, snapshot } = ports;
  let copyingAt = now();
  await withConnection(ports, node, async (connection) => {
    while (!signal.aborted) {
      const view = await redis.readNodeView(connection);
      if (view.self.masterId === master && isCopied(view)) return;
      if (view.replication.syncing === true || view.loading) copyingAt = now();
      if (now() - copyingAt > longestWait) {
        if (!(await isAtIt(master, ports))) throw noCopy(node, master, view, ports);
        copyingAt = now();
      }
      report({ text: `${nameOf(snapshot, node)}: ${stateOf(view)} ${nameOf(snapshot, master)}` });
      await delay(pollEvery, signal);
    }
  });
}

/** A master begins to send only when what it writes to its disk is finished; replicas that wait for that are not online. */
async function isAtIt(master: string, ports: StepPorts): Promise<boolean> {
  try {
    const { loading, replication } = await withConnection(ports, master, ports.redis.readNodeView);
    return loading || replication.replicas.some(({ online }) => !online);
  } catch {
    return false;
  }
}

function noCopy(node: string, master: string, view: NodeView, { snapshot }: StepPorts): UserError {
  const { masterId } = view.self;
  const hasFailed = view.others.some(({ id, flags }) => id === masterId && flags.includes('fail'));
  const instead = masterId === master ? '' : `, not ${nameOf(snapshot, master)}`;
  const follows = masterId === undefined ? 'no master' : nameOf(snapshot, masterId);
  return new UserError(
    'failed',
    `${nameOf(snapshot, node)} follows ${follows}${instead}${hasFailed ? ', which has failed' : ''}: no copy was under way for ${longestWait / 1000} s. It keeps trying; the logs of both nodes say why it fails.`,
  );
}

function stateOf({ loading, replication: { syncing, receivedBytes = 0 } }: NodeView): string {
  if (loading) return 'loading the copy from';
  if (syncing !== true) return 'waiting for';
  return `copying, ${bytesText(receivedBytes)} so far, from`;
}
