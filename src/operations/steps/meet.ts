import { formatAddress, isKubernetesRef } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { formTimes } from '../forming/readServers.ts';
import { needIntroduction } from '../repair/introductions.ts';
import { conflictingClaim } from '../repair/conflictingClaims.ts';
import { answers, memberOf, nameOf, refusal } from '../servers/nodes.ts';
import { refuseImpostor } from '../refusals/refuseImpostor.ts';
import type { StepPorts } from './ports.ts';
import { withConnection } from '../servers/withConnection.ts';
import { address, nodeId, port } from './fields.ts';
import { losesNothing, never, type StepData, type StepDefinition } from './step.ts';

/** Milliseconds for getting to know each other: a handshake takes a heartbeat or two, on a busy machine more. */
const limit = 30_000;
const repeatEvery = 3_000;
const pollEvery = 250;

const fields = { node: nodeId, host: address, port, busPort: port };

type Meet = StepData<'meet', typeof fields>;

/** Tells all nodes where another one is now (CLUSTER MEET on a known id only sets its address). */
export const meet: StepDefinition<'meet', typeof fields> = {
  kind: 'meet',
  description: 'Tells the other nodes where a node is.',
  fields,
  example: {
    node: '0000000000000000000000000000000000000000',
    host: '10.0.0.7',
    port: 6379,
    busPort: 16_379,
  },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'snapshot',
  text: ({ node, host, port }, nameOf) =>
    `Tell the other nodes that ${nameOf(node)} is at ${formatAddress({ host, port })}`,
  ...losesNothing,
  command: ({ node, host, port, busPort }, shell) =>
    shell.others(node).map((id) => shell.redis(id, 'CLUSTER', 'MEET', host, String(port), String(busPort))),
  isDone: (step, snapshot) => isKnown(step, snapshot),
  check: (step, snapshot) => {
    const { node } = step;
    refuseImpostor(snapshot, node);
    const own = snapshot.nodes.find(({ id }) => id === node);
    // Only the server's own word counts: an address may be somebody else's by now.
    if (own !== undefined && !answers(own)) {
      throw refusal('unreachable', `${nameOf(snapshot, node)} does not answer.`);
    }
    refuseMoved(step, snapshot);
    const conflicts = own === undefined ? undefined : conflictingClaim(snapshot, own);
    if (conflicts !== undefined) throw refusal('unsafe', conflicts);
    if (!snapshot.nodes.some((one) => answers(one) && one.id !== node)) {
      throw refusal('unreachable', `No other node of ${snapshot.name} answers.`);
    }
  },
  act: async (step, ports) => {
    const { readSnapshot, now, delay, signal, report } = ports;
    const end = now() + limit;
    report({ text: `introducing ${nameOf(ports.snapshot, step.node)} at ${formatAddress(step)}` });
    let reading = ports.snapshot;
    let repeatAt = 0;
    for (;;) {
      if (now() >= repeatAt) {
        await meetAll(step, reading, ports);
        repeatAt = now() + repeatEvery;
      }
      await delay(pollEvery, signal);
      if (signal.aborted) return;
      reading = await readSnapshot();
      if (isKnown(step, reading)) return;
      if (now() > end) {
        const left = needIntroduction(reading, step).map(({ id }) => nameOf(reading, id));
        throw new UserError(
          'failed',
          `${left.join(', ') || 'The other nodes'} and ${nameOf(reading, step.node)} did not connect within ${limit / 1000} s. Their bus ports (${step.busPort}) must reach each other. It is safe to introduce them again.`,
        );
      }
    }
  },
};

/** A newcomer says for some seconds that the cluster is down, and refuses keys until then. */
function isKnown(step: Meet, snapshot: ClusterSnapshot): boolean {
  const own = snapshot.nodes.find(({ id }) => id === step.node);
  if (!answers(own) || needIntroduction(snapshot, step).length > 0) return false;
  const others = snapshot.nodes.filter((one) => one !== own && answers(one));
  return own.view.clusterState === 'ok' || others.some(({ view }) => view?.clusterState === 'fail');
}

async function meetAll(step: Meet, reading: ClusterSnapshot, ports: StepPorts): Promise<void> {
  const { host, port, busPort } = step;
  if (!(await isThere(step, reading, ports))) return;
  const known = reading.nodes.some(({ id }) => id === step.node);
  const those = known ? needIntroduction(reading, step) : reading.nodes.filter(answers).slice(0, 1);
  await Promise.all(
    those.map(({ id }) =>
      withConnection(ports, memberOf(reading, id).id, (connection) =>
        ports.redis.meet(connection, { host, port, busPort }),
      ),
    ),
  );
}

/**
 * Asks the node for its id immediately before others meet it: whoever answers at its address by then becomes a member.
 * False where it does not answer now. Throws UserError where it is another one, or elsewhere.
 */
async function isThere(step: Meet, reading: ClusterSnapshot, ports: StepPorts): Promise<boolean> {
  const own = reading.nodes.find(({ id }) => id === step.node);
  if (own === undefined) {
    if (isKubernetesRef(reading.ref))
      throw refusal('not-found', `${nameOf(reading, step.node)} is no node of ${reading.name} now.`);
    await refuseOther(step, ports);
    return true;
  }
  refuseMoved(step, reading);
  try {
    const id = await withConnection(ports, step.node, ports.redis.myId);
    if (id === step.node) return true;
    throw refusal('unsafe', `Node ${id} answers in the place of ${nameOf(reading, step.node)}.`);
  } catch (error) {
    if (error instanceof UserError && error.reason === 'unsafe') throw error;
    return false;
  }
}

function refuseMoved({ node, host, port }: Meet, snapshot: ClusterSnapshot): void {
  const own = snapshot.nodes.find(({ id }) => id === node);
  if (own === undefined || own.pod?.ip === host || own.host === host) return;
  throw refusal(
    'unsafe',
    `${nameOf(snapshot, node)} is at ${formatAddress(own)} by now, not at ${formatAddress({ host, port })}.`,
  );
}

/** Of a new server only its address is known, and to meet a member of another cluster there would merge the two. */
async function refuseOther(
  { node, host, port }: Meet,
  { dialer, redis }: Pick<StepPorts, 'dialer' | 'redis'>,
): Promise<void> {
  const connection = await redis.connectNode({ host, port }, dialer.credentials, formTimes);
  const id = await redis.myId(connection).finally(() => {
    connection.close();
  });
  if (id === node) return;
  throw refusal('unsafe', `Node ${id} answers at ${formatAddress({ host, port })} instead of ${node}.`);
}
