import { quantity } from '../../model/quantity.ts';
import { confirmSecret, passwordIn, readSecret, stoppedText } from '../rotation/passwordSecret.ts';
import { podsWithout, untilAll, waitingExample, waitingFields } from '../rotation/servers.ts';
import { always, losesNothing, noCommand, type StepDefinition } from './step.ts';

/** Waits until all servers accept the password that the Secret holds now: their agents give it to them. */
export const awaitPassword: StepDefinition<'awaitPassword', typeof waitingFields> = {
  kind: 'awaitPassword',
  description: 'Waits until all servers accept the password of the Secret.',
  fields: waitingFields,
  example: waitingExample,
  isSaved: true,
  mayBeUndone: false,
  needsAgents: always,
  shownBy: 'asking',
  ifStopped: stoppedText,
  text: (step) => `Wait until all ${quantity(step.servers.length, 'server')} accept the new password`,
  ...losesNothing,
  command: noCommand,
  isDone: async (step, _snapshot, ports) => {
    const password = passwordIn(await readSecret(step, ports), step.key);
    return (await podsWithout('accepted', password, step, ports)).length === 0;
  },
  check: (step, _snapshot, ports) => confirmSecret(step, ports),
  act: async (step, ports) => {
    await untilAll('accepted', passwordIn(await readSecret(step, ports), step.key), step, ports);
  },
};
