import { UserError } from '../../model/errors.ts';
import { isSameAmount } from '../rollout/answers.ts';
import { changeSet } from '../statefulSets/changeSet.ts';
import { marks, templatePatch } from '../rollout/difference.ts';
import { readSet, type SetFacts } from '../statefulSets/facts.ts';
import { refuseManaged } from '../refusals/upgrading.ts';
import {
  amount,
  described,
  imageName,
  listOrNone,
  matching,
  objectName,
  optional,
  strictObject,
} from './fields.ts';
import { kubernetesOf, type StepPorts } from './ports.ts';
import { losesNothing, never, noCommand, type StepData, type StepDefinition } from './step.ts';

const what = { object: 'an object', field: 'a field of such a container' };

const fields = {
  workload: objectName,
  images: listOrNone(strictObject({ container: objectName, from: imageName, to: imageName }, what)),
  memory: optional(strictObject({ container: objectName, to: amount }, what)),
  settingsAtStart: optional(
    matching(/^[0-9a-f]{16}$/, 'a mark of 16 hexadecimal digits'),
    'Changes when a setting does that servers take only at their start.',
  ),
  restartedAt: optional(
    described(matching(/^[0-9TZ:.+-]{10,40}$/, 'a time'), 'As kubectl rollout restart writes it.'),
  ),
};

type ChangeTemplate = StepData<'changeTemplate', typeof fields>;

/** Changes what a StatefulSet's pods are made of, and keeps every pod as it is until its turn comes. */
export const changeTemplate: StepDefinition<'changeTemplate', typeof fields> = {
  kind: 'changeTemplate',
  description: 'Changes the pods of a StatefulSet, with a partition that restarts none of them.',
  fields,
  example: { workload: 'shop', images: [{ container: 'redis', from: 'redis:8.0.2', to: 'redis:8.6.3' }] },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'asking',
  ifStopped: ({ workload, images: [first] }) => {
    const rest = `The partition of StatefulSet ${workload} keeps pods that were not restarted as they are.`;
    if (first === undefined) return rest;
    return `${rest} To go back, upgrade to ${first.from}, which first checks what the new version has written.`;
  },
  text: (step) =>
    `Change the pods of StatefulSet ${step.workload} (${changesOf(step).join('; ')}), with a partition that restarts no pod`,
  ...losesNothing,
  command: noCommand,
  isDone: async (step, _snapshot, ports) => isChanged(step, await setOf(step, ports)),
  check: async (step, _snapshot, ports) => {
    const set = await setOf(step, ports);
    refuseManaged(set);
    for (const { container, from, to } of step.images) {
      const now = set.containers.find(({ name }) => name === container)?.image;
      if (now === from || now === to) continue;
      throw new UserError(
        'conflict',
        `Container ${container} of StatefulSet ${set.name} has the image ${now ?? 'none'} now, not ${from}: someone else has changed it. Nothing was changed.`,
      );
    }
  },
  act: async (step, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    const change = { template: templatePatch(step), partition: 'all' } as const;
    await changeSet({ namespace, statefulSet: step.workload }, change, { ...ports, access });
  },
};

function setOf({ workload }: ChangeTemplate, ports: StepPorts): Promise<SetFacts> {
  const { access, namespace } = kubernetesOf(ports);
  return readSet(access, namespace, workload);
}

function isChanged(step: ChangeTemplate, { containers, podAnnotations }: SetFacts): boolean {
  const { images, memory } = step;
  const named = (container: string) => containers.find(({ name }) => name === container);
  return (
    images.every(({ container, to }) => named(container)?.image === to) &&
    (memory === undefined || isSameAmount(named(memory.container)?.memory, memory.to)) &&
    Object.entries(marks(step)).every(([name, value]) => podAnnotations[name] === value)
  );
}

function changesOf({ images, memory, settingsAtStart, restartedAt }: ChangeTemplate): readonly string[] {
  return [
    ...images.map(({ container, from, to }) => `${container}: ${from} to ${to}`),
    ...(memory === undefined ? [] : [`memory ${memory.to}`]),
    ...(settingsAtStart === undefined ? [] : ['settings that servers read when they start']),
    ...(restartedAt === undefined ? [] : [`restart of ${restartedAt}`]),
  ];
}
