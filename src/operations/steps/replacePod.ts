import { UserError } from '../../model/errors.ts';
import type { ClusterSnapshot, PodFacts } from '../../model/snapshot.ts';
import { podsOf } from '../../model/endedPods.ts';
import { refuseRunning } from '../refusals/refuseRunning.ts';
import { kubernetesOf, type StepPorts } from './ports.ts';
import { described, nodeId, objectName, optional, uid, yesOrNo } from './fields.ts';
import { always, never, noLoss, type StepData, type StepDefinition } from './step.ts';

/** Milliseconds for the new pod to be scheduled, to get its volume and to load its data, as long as nothing changes. */
const limit = 300_000;
const pollEvery = 500;

const fields = {
  pod: objectName,
  uid,
  isRecreated: described(yesOrNo, 'Whether its owner creates one of the same name, which is waited for.'),
  node: optional(nodeId, 'The node that the new pod becomes.'),
};

type ReplacePod = StepData<'replacePod', typeof fields>;

/** Deletes a pod that has ended, so that its owner creates it again, and waits until that one's node is a member. */
export const replacePod: StepDefinition<'replacePod', typeof fields> = {
  kind: 'replacePod',
  description: 'Deletes a pod that has ended, so that its owner creates it again.',
  fields,
  example: { pod: 'shop-1', uid: '0b5e6a2c-0000-0000-0000-000000000000', isRecreated: true },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'snapshot',
  text: ({ pod, uid, isRecreated }) =>
    `Delete the terminated pod ${pod} (uid ${uid})${isRecreated ? ' and wait for the new one' : ''}`,
  loss: noLoss,
  destroys: always,
  command: ({ pod }, shell) => [shell.kubectl('delete', 'pod', pod)],
  isDone: isReplaced,
  check: async (step, _snapshot, ports) => {
    const object = await findPod(step, ports);
    if (object !== undefined) refuseRunning(step.pod, object);
  },
  act: async (step, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    const { report, signal } = ports;
    const object = await findPod(step, ports);
    if (object !== undefined) {
      refuseRunning(step.pod, object);
      report({ text: `deleting pod ${step.pod}` });
      await access.delete('v1', 'Pod', namespace, step.pod, signal, { uid: step.uid });
    }
    await untilReplaced(step, ports);
  },
};

/** The pod of that uid as Kubernetes knows it now; undefined where it is gone or another one has its name. */
async function findPod({ pod, uid }: ReplacePod, ports: StepPorts): Promise<object | undefined> {
  const { access, namespace } = kubernetesOf(ports);
  const object = await access.get('v1', 'Pod', namespace, pod);
  const metadata = object?.metadata as { readonly uid?: string } | undefined;
  return metadata?.uid === uid ? object : undefined;
}

function isReplaced({ pod, uid, isRecreated, node }: ReplacePod, snapshot: ClusterSnapshot): boolean {
  const pods = podsOf(snapshot);
  if (pods.some((one) => one.uid === uid)) return false;
  if (!isRecreated) return true;
  const present = pods.find(({ name }) => name === pod);
  if (present?.ready !== true) return false;
  return node === undefined || isMember(present, snapshot);
}

function isMember({ uid }: PodFacts, { nodes }: ClusterSnapshot): boolean {
  return nodes.some(({ pod, view }) => pod?.uid === uid && view !== undefined);
}

async function untilReplaced(step: ReplacePod, ports: StepPorts): Promise<void> {
  const { readSnapshot, report, now, delay, signal } = ports;
  let state = '';
  let changedAt = now();
  while (!signal.aborted) {
    const snapshot = await readSnapshot();
    if (isReplaced(step, snapshot)) return;
    const present = podsOf(snapshot).find(({ name }) => name === step.pod);
    const text = stateOf(step, present, snapshot);
    if (text !== state) changedAt = now();
    state = text;
    report({ text });
    if (now() - changedAt > limit) {
      throw new UserError(
        'failed',
        `The terminated pod was deleted, but ${text}, and nothing has changed for ${limit / 60_000} minutes.${present?.ready === true ? ' It came back without its data: “Scale…” to the current number of pods makes it join.' : ' Look at its events.'}`,
      );
    }
    await delay(pollEvery, signal);
  }
}

function stateOf({ pod, uid }: ReplacePod, present: PodFacts | undefined, snapshot: ClusterSnapshot): string {
  if (present === undefined) return `pod ${pod} has not been created again yet`;
  if (present.uid === uid) return `pod ${pod} is being deleted`;
  if (!present.ready) return `pod ${pod} is not ready yet (${present.reason ?? present.phase})`;
  return isMember(present, snapshot)
    ? `pod ${pod} is a member`
    : `the server in pod ${pod} is not a member yet`;
}
