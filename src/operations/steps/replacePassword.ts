import { previousPassword } from '../manifests/render.ts';
import { refusal } from '../servers/nodes.ts';
import {
  confirmSecret,
  holdsPrevious,
  passwordIn,
  readSecret,
  secretExample,
  secretFields,
  stoppedText,
} from '../rotation/passwordSecret.ts';
import { randomPassword } from '../rotation/randomPassword.ts';
import { described, matching } from './fields.ts';
import { kubernetesOf } from './ports.ts';
import { losesNothing, never, noCommand, type StepDefinition } from './step.ts';

const fields = {
  ...secretFields,
  rotation: described(
    matching(/^[\w-]{8,64}$/, 'the mark of a rotation'),
    'Marks the Secret, so that a rotation that is resumed does not begin again.',
  ),
};

/** On a Secret: the rotation that replaced its password last. */
const rotationAnnotation = 'kubernetes-redis-cluster/rotation';

/** Writes a new random password to a Secret and keeps the current one beside it, so that both are valid. */
export const replacePassword: StepDefinition<'replacePassword', typeof fields> = {
  kind: 'replacePassword',
  description: 'Writes a new random password to the Secret, and keeps the current one as the previous one.',
  fields,
  example: { ...secretExample, rotation: '1f0c2d4e' },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'asking',
  ifStopped: stoppedText,
  text: ({ secret }) =>
    `Write a new password to Secret ${secret}, and keep the current one as ${previousPassword}`,
  ...losesNothing,
  command: noCommand,
  isDone: async (step, _snapshot, ports) => {
    const { metadata } = await readSecret(step, ports);
    return metadata.annotations?.[rotationAnnotation] === step.rotation;
  },
  check: async (step, _snapshot, ports) => {
    await confirmSecret(step, ports);
    const found = await readSecret(step, ports);
    if (found.immutable === true) throw refusal('unsafe', `Secret ${step.secret} is immutable.`);
    if (holdsPrevious(found)) {
      throw refusal(
        'conflict',
        `Secret ${step.secret} holds ${previousPassword}: another rotation is under way. Rotate the password again to resume it.`,
      );
    }
  },
  act: async (step, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    const { key, secret, uid, rotation } = step;
    const found = await readSecret(step, ports);
    const { resourceVersion } = found.metadata;
    const encoded = (text: string): string => Buffer.from(text).toString('base64');
    const data = { [key]: encoded(randomPassword()), [previousPassword]: encoded(passwordIn(found, key)) };
    const metadata = { resourceVersion, uid, annotations: { [rotationAnnotation]: rotation } };
    await access.patch('v1', 'Secret', namespace, secret, { metadata, data });
  },
};
