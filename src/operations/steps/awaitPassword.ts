import { quantity } from '../../model/quantity.ts';
import {
  confirmSecret,
  passwordIn,
  readSecret,
  secretFields,
  stoppedText,
} from '../rotation/passwordSecret.ts';
import { podsWithout, servers, untilAll } from '../rotation/servers.ts';
import { always, never, noCommand, noLoss, type StepDefinition } from './step.ts';

const fields = { ...secretFields, servers };

/** Waits until all servers accept the password that the Secret holds now: their agents give it to them. */
export const awaitPassword: StepDefinition<'awaitPassword', typeof fields> = {
  kind: 'awaitPassword',
  description: 'Waits until all servers accept the password of the Secret.',
  fields,
  example: {
    ...{ workload: 'shop', secret: 'shop-auth', key: 'password' },
    uid: '0b5e6a2c-0000-0000-0000-000000000000',
    servers: [{ pod: 'shop-0', node: '0000000000000000000000000000000000000000' }],
  },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: always,
  shownBy: 'asking',
  ifStopped: stoppedText,
  text: (step) => `Wait until all ${quantity(step.servers.length, 'server')} accept the new password`,
  loss: noLoss,
  destroys: never,
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
