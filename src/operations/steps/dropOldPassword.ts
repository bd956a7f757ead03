import { quantity } from '../../model/quantity.ts';
import { previousPassword } from '../manifests/render.ts';
import {
  confirmSecret,
  holdsPrevious,
  passwordIn,
  readSecret,
  stoppedText,
} from '../rotation/passwordSecret.ts';
import { untilAll, waitingExample, waitingFields } from '../rotation/servers.ts';
import { kubernetesOf, passwordsOf } from './ports.ts';
import { always, losesNothing, type StepDefinition } from './step.ts';

/** Removes the password before from the Secret, and waits until no server accepts it any more. */
export const dropOldPassword: StepDefinition<'dropOldPassword', typeof waitingFields> = {
  kind: 'dropOldPassword',
  description: 'Removes the previous password from the Secret, and waits until all servers refuse it.',
  fields: waitingFields,
  example: waitingExample,
  isSaved: true,
  mayBeUndone: false,
  needsAgents: always,
  shownBy: 'asking',
  ifStopped: stoppedText,
  text: (step) =>
    `Remove ${previousPassword} from Secret ${step.secret}, and wait until all ${quantity(step.servers.length, 'server')} refuse the old password`,
  ...losesNothing,
  command: ({ secret }, shell) => {
    const change = JSON.stringify([{ op: 'remove', path: `/data/${previousPassword}` }]);
    return [shell.kubectl('patch', 'secret', secret, '--type=json', '-p', change)];
  },
  isDone: async (step, _snapshot, ports) => !holdsPrevious(await readSecret(step, ports)),
  check: (step, _snapshot, ports) => confirmSecret(step, ports),
  act: async (step, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    const { secret, uid } = step;
    const old = passwordIn(await readSecret(step, ports), previousPassword);
    const change = { metadata: { uid }, data: { [previousPassword]: null } };
    await access.patch('v1', 'Secret', namespace, secret, change);
    await untilAll('refused', old, step, ports);
    // The Secret has the password that is valid now; one that a person has stored would win over it.
    await passwordsOf(ports).forgetStored();
  },
};
