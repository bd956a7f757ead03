import { messageOf, UserError } from '../../model/errors.ts';
import { answers, memberOf, nameOf, refusal } from '../nodes.ts';
import { settingOf } from '../settingOf.ts';
import { isSameValue, valueText } from '../upgrade/settings.ts';
import { withConnection } from '../withConnection.ts';
import type { StepPorts } from './ports.ts';
import { described, listOf, nodeId, settingName, settingValue } from './fields.ts';
import { never, noLoss, type StepData, type StepDefinition } from './step.ts';

const fields = {
  nodes: listOf(nodeId),
  name: settingName,
  value: settingValue,
  before: described(settingValue, 'The value to go back to where a server refuses the new one.'),
};

type SetConfig = StepData<'setConfig', typeof fields>;

/** Changes a setting on running servers; where one refuses it, the others get their old value back. */
export const setConfig: StepDefinition<'setConfig', typeof fields> = {
  kind: 'setConfig',
  description: 'Sets a setting on running servers.',
  fields,
  example: {
    nodes: ['0000000000000000000000000000000000000000'],
    name: 'maxmemory-policy',
    value: 'allkeys-lru',
    before: 'noeviction',
  },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'snapshot',
  text: ({ nodes, name, value, before }, nameOf) =>
    `Set ${name} to ${valueText(value)} (before: ${valueText(before)}) on ${nodes.map(nameOf).join(', ')}`,
  loss: noLoss,
  destroys: never,
  command: ({ nodes, name, value }, shell) =>
    nodes.map((id) => shell.redis(id, 'CONFIG', 'SET', name, value)),
  isDone: async ({ nodes, name, value }, _snapshot, ports) => {
    const values = await Promise.all(
      nodes.map((id) => withConnection(ports, id, (one) => settingOf(one, name))),
    );
    return values.every((own) => own !== undefined && isSameValue(value, own));
  },
  check: ({ nodes }, snapshot) => {
    for (const id of nodes) {
      if (!answers(memberOf(snapshot, id)))
        throw refusal('unreachable', `${nameOf(snapshot, id)} does not answer.`);
    }
  },
  act: async (step, ports) => {
    const done: string[] = [];
    try {
      for (const id of step.nodes) {
        ports.signal.throwIfAborted();
        await setOn(id, step, step.value, ports);
        done.push(id);
      }
    } catch (error) {
      for (const id of done.reverse()) await setOn(id, step, step.before, ports).catch(() => undefined);
      throw error;
    }
  },
};

async function setOn(id: string, { name }: SetConfig, value: string, ports: StepPorts): Promise<void> {
  const where = nameOf(ports.snapshot, id);
  ports.report({ text: `${where}: ${name} ${value}` });
  try {
    await withConnection(ports, id, (one) => one.call('CONFIG', 'SET', name, value));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      'invalid-input',
      `${where} refused "${name} ${value}": ${messageOf(error)}. No setting was changed.`,
      { cause: error },
    );
  }
}
