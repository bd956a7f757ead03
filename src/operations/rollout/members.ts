import { bytesText } from '../../model/bytes.ts';
import { quantity } from '../../model/quantity.ts';
import { signature } from '../../checks/agreement.ts';
import { messageOf, UserError } from '../../model/errors.ts';
import type { NodeView } from '../../model/nodeView.ts';
import { allSlots, countSlots, subtractSlots, unionSlots } from '../../model/slots.ts';
import { readPods, type SetPod } from '../statefulSets/facts.ts';
import type { Place, UpgradePorts } from '../statefulSets/ports.ts';

/** A pod and what its server says now. */
export interface Member {
  readonly pod: SetPod;
  readonly view?: NodeView;
  /** Why the server did not answer. */
  readonly silence?: string;
}

/** Bytes of the master's stream that a replica may lack and still count as in step, as for preStop. */
const inStep = 1_048_576;
/** Milliseconds a cluster has for getting well between two pods. */
const wellLimit = 180_000;
const pollEvery = 400;

/** Asks every pod of the StatefulSet. */
export async function readMembers(
  { namespace, statefulSet, port }: Place,
  { access, readNode }: UpgradePorts,
): Promise<readonly Member[]> {
  const pods = await readPods(access, namespace, statefulSet);
  return await Promise.all(
    pods.map(async (pod): Promise<Member> => {
      try {
        return { pod, view: await readNode(namespace, pod.name, port) };
      } catch (error) {
        return { pod, silence: messageOf(error) };
      }
    }),
  );
}

/** Whether a pod never became ready. One whose server loads its data becomes ready when it has. */
export function neverStarted({ pod, view, silence = '' }: Member): boolean {
  return !pod.ready && !pod.deleting && view === undefined && !silence.includes('loading');
}

/** What is not as it should be, in words that name the pod; undefined where all is well. @param except a pod about to go */
export function illness(members: readonly Member[], replicas: number, except?: string): string | undefined {
  if (members.length < replicas) return `Only ${members.length} of ${quantity(replicas, 'pod')} exist.`;
  for (const member of members) {
    if (member.pod.name === except) continue;
    const ill = illnessOf(member, members);
    if (ill !== undefined) return `${member.pod.name} ${ill}.`;
  }
  const served = unionSlots(
    ...members.flatMap(({ view }) => (view?.replication.role === 'master' ? [view.self.slots] : [])),
  );
  const missing = countSlots(subtractSlots(allSlots, served));
  const asked = members.flatMap(({ pod, view }) => (view === undefined || pod.name === except ? [] : [view]));
  if (new Set(asked.map(signature)).size > 1) return 'Nodes disagree about slot ownership.';
  return missing === 0
    ? undefined
    : `${missing.toLocaleString('en-US')} hash slots are not served by any pod.`;
}

function illnessOf({ pod, view, silence }: Member, members: readonly Member[]): string | undefined {
  if (pod.deleting) return 'is being stopped';
  if (view === undefined) return `does not answer: ${silence ?? 'no reason given'}`;
  if (view.loading) return 'is still loading its data';
  if (view.clusterState !== 'ok') return 'reports that the cluster is down';
  if (view.replication.role === 'replica') {
    if (view.replication.linkUp !== true) return 'has no link to its master';
    const lag = lagOf(view, members);
    if (lag > inStep) return `is ${bytesText(lag)} behind its master`;
  }
  return pod.ready ? undefined : 'is not ready';
}

/** Bytes a replica lacks, as far as its master answers. */
export function lagOf(view: NodeView, members: readonly Member[]): number {
  const master = members.find((one) => one.view?.self.id === view.self.masterId)?.view;
  return master === undefined ? 0 : Math.max(0, master.replication.offset - view.replication.offset);
}

/** Waits until all pods are well. Throws a UserError that says which one is not, and why. */
export async function untilWell(
  place: Place,
  replicas: number,
  ports: UpgradePorts,
  except?: string,
): Promise<readonly Member[]> {
  const { now, delay, signal } = ports;
  const end = now() + wellLimit;
  for (;;) {
    signal.throwIfAborted();
    const members = await readMembers(place, ports);
    const ill = illness(members, replicas, except);
    if (ill === undefined) return members;
    if (now() > end) {
      throw new UserError('unsafe', `The cluster is unhealthy: ${ill}`);
    }
    await delay(pollEvery, signal);
  }
}
