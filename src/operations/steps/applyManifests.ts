import { quantity } from '../../model/quantity.ts';
import { withState } from '../manifests/preflight.ts';
import { listOf, matching, objectName, optional, strictObject, yesOrNo } from './fields.ts';
import { kubernetesOf, manifestsOf } from './ports.ts';
import { losesNothing, never, noCommand, type StepData, type StepDefinition } from './step.ts';

const object = strictObject(
  { kind: matching(/^[A-Za-z]{1,63}$/, 'a kind of object'), name: objectName },
  { object: 'an object', field: 'a field of such an object' },
);

const fields = {
  objects: listOf(object),
  changes: optional(yesOrNo, '`true` where the objects are there and only differ.'),
};

type ApplyManifests = StepData<'applyManifests', typeof fields>;

/** Steps whose objects were applied in this run: whether others are the same, only applying them tells. */
const applied = new WeakSet<ApplyManifests>();

/** Applies the objects of a cluster that is deployed, its StatefulSet last, or of its backups. */
export const applyManifests: StepDefinition<'applyManifests', typeof fields> = {
  kind: 'applyManifests',
  description: 'Applies the objects of a new cluster, or of its backups.',
  fields,
  example: { objects: [{ kind: 'StatefulSet', name: 'shop' }] },
  // The objects themselves are made of the answers.
  isSaved: false,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'asking',
  ifStopped: ({ objects }) =>
    objects.some(({ kind }) => kind === 'StatefulSet')
      ? 'What was created so far remains; Delete Cluster… removes it.'
      : 'What was created so far remains; run it again to go on.',
  text: ({ objects, changes }) =>
    `${changes === true ? 'Update' : 'Create'} ${objects.map(({ kind, name }) => `${kind} ${name}`).join(', ')}`,
  ...losesNothing,
  command: noCommand,
  isDone: (step) => applied.has(step),
  check: (_step, _snapshot, ports) => {
    kubernetesOf(ports);
    manifestsOf(ports);
  },
  act: async (step, ports) => {
    const { access } = kubernetesOf(ports);
    const { report, signal } = ports;
    const objects = manifestsOf(ports);
    report({ text: `applying ${quantity(objects.length, 'object')}` });
    const others = objects.filter(({ kind }) => kind !== 'StatefulSet');
    await Promise.all(others.map((one) => access.apply(one, signal)));
    for (const one of objects) {
      if (one.kind === 'StatefulSet') await access.apply(withState(one, 'deploying'), signal);
    }
    applied.add(step);
  },
};
