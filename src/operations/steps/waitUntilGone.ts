import { UserError } from '../../model/errors.ts';
import { quantity } from '../../model/quantity.ts';
import { isOrdinalOf } from '../statefulSets/claims.ts';
import { described, listOf, objectName, oneOf } from './fields.ts';
import { kubernetesOf, type StepPorts } from './ports.ts';
import { losesNothing, never, noCommand, type StepData, type StepDefinition } from './step.ts';

/** Milliseconds in which at least one more pod or volume must go. */
const limit = 180_000;
const pollEvery = 300;

const fields = {
  what: oneOf('pods', 'volumes'),
  names: described(listOf(objectName), 'The StatefulSets whose pods are meant, or the volumes.'),
};

type WaitUntilGone = StepData<'waitUntilGone', typeof fields>;

/** Waits until what was deleted is gone: until then, a new cluster of the name would be refused, or be given old pods. */
export const waitUntilGone: StepDefinition<'waitUntilGone', typeof fields> = {
  kind: 'waitUntilGone',
  description: 'Waits until deleted pods or volumes are gone.',
  fields,
  example: { what: 'pods', names: ['shop'] },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'asking',
  text: ({ what, names }) => {
    if (what === 'pods') return `Wait until all pods of StatefulSet ${names.join(', ')} are gone`;
    return `Wait until ${names.length === 1 ? 'the volume is' : `all ${quantity(names.length, 'volume')} are`} gone`;
  },
  ...losesNothing,
  command: ({ what, names }, shell) =>
    what === 'pods' ? noCommand() : [shell.kubectl('wait', '--for=delete', 'pvc', ...names)],
  isDone: async (step, _snapshot, ports) => (await leftOf(step, ports)).length === 0,
  check: (_step, _snapshot, ports) => {
    kubernetesOf(ports);
  },
  act: async (step, ports) => {
    const { now, report, signal, delay } = ports;
    let total: number | undefined;
    let fewest = Number.MAX_SAFE_INTEGER;
    let progressed = now();
    while (!signal.aborted) {
      const left = await leftOf(step, ports);
      if (left.length === 0) return;
      total ??= left.length;
      if (left.length < fewest) progressed = now();
      fewest = Math.min(fewest, left.length);
      const text = `waiting for ${quantity(left.length, step.what === 'pods' ? 'pod' : 'volume')} to be deleted`;
      report({ text, done: total - left.length, total, unit: step.what });
      if (now() - progressed > limit) {
        throw new UserError(
          'failed',
          `These ${step.what} are still there: ${left.join(', ')}. Inspect them with kubectl describe; a finalizer or a lost Kubernetes node may block their deletion.`,
        );
      }
      await delay(pollEvery, signal);
    }
  },
};

/** By name: a pod whose containers have ended is no server any more, and still holds its volume. */
async function leftOf({ what, names }: WaitUntilGone, ports: StepPorts): Promise<readonly string[]> {
  const { access, namespace } = kubernetesOf(ports);
  const kind = what === 'pods' ? 'Pod' : 'PersistentVolumeClaim';
  const found = (await access.list('v1', kind, namespace)).map(({ metadata }) => metadata.name);
  if (what === 'volumes') return found.filter((name) => names.includes(name));
  return found.filter((name) => names.some((set) => isOrdinalOf(name, `${set}-`)));
}
