import { messageOf, UserError } from '../../model/errors.ts';
import { answers, memberOf, nameOf, refusal } from '../servers/nodes.ts';
import { settingOf } from '../settings/settingOf.ts';
import { isSameValue, valueText } from '../settings/settings.ts';
import { isWritten, untilWritten, writesFile } from '../settings/firstFile.ts';
import { withConnection } from '../servers/withConnection.ts';
import type { StepPorts } from './ports.ts';
import { listOf, nodeId, optional, settingName, settingValue } from './fields.ts';
import { never, type StepData, type StepDefinition } from './step.ts';

const fields = {
  nodes: listOf(nodeId),
  name: settingName,
  value: settingValue,
  before: optional(settingValue, 'The value when the plan was made.'),
};

type SetConfig = StepData<'setConfig', typeof fields>;

/** Changes a setting on running servers; where one refuses it, or another one next to it, all get their old values back. */
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
    `Set ${name} to ${valueText(value)}${before === undefined ? '' : ` (before: ${valueText(before)})`} on ${nodes.map(nameOf).join(', ')}`,
  loss: ({ name, value }) =>
    name === 'appendonly' && value === 'no'
      ? 'With appendonly set to no, a server that restarts loses its keys unless a replica has them.'
      : undefined,
  destroys: never,
  command: ({ nodes, name, value }, shell) =>
    nodes.map((id) => shell.redis(id, 'CONFIG', 'SET', name, value)),
  isDone: async ({ nodes, name, value }, _snapshot, ports) => {
    const are = await Promise.all(
      nodes.map((id) =>
        withConnection(ports, id, async (one) => {
          const own = await settingOf(one, name);
          if (own === undefined || !isSameValue(value, own)) return false;
          return !writesFile(name, value) || (await isWritten(one, id));
        }),
      ),
    );
    return are.every(Boolean);
  },
  check: ({ nodes }, snapshot) => {
    for (const id of nodes) {
      if (!answers(memberOf(snapshot, id)))
        throw refusal('unreachable', `${nameOf(snapshot, id)} does not answer.`);
    }
  },
  act: async (step, ports) => {
    for (const id of step.nodes) {
      ports.signal.throwIfAborted();
      const before = await valueOn(id, step, ports);
      await setOn(id, step, step.value, ports);
      ports.takenBackBy(() => setOn(id, step, before, ports).catch(() => undefined));
    }
    if (writesFile(step.name, step.value)) for (const id of step.nodes) await untilWritten(id, ports);
  },
};

async function valueOn(id: string, { name }: SetConfig, ports: StepPorts): Promise<string> {
  const value = await withConnection(ports, id, (one) => settingOf(one, name));
  if (value !== undefined) return value;
  throw refusal('invalid-input', `${nameOf(ports.snapshot, id)} has no setting "${name}".`);
}

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
