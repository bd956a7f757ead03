import { refusal } from '../servers/nodes.ts';
import { operatorUserKey, withUserLine } from '../users/kept.ts';
import { hashOf } from '../users/onServer.ts';
import { operatorName, rulesForAnyVersion } from '../users/rules.ts';
import { kubernetesOf, newPasswordOf, type StepPorts } from './ports.ts';
import { objectName, matching } from './fields.ts';
import { losesNothing, never, noCommand, type StepData, type StepDefinition } from './step.ts';

const fields = { user: matching(operatorName, 'the name of a user'), secret: objectName };

type KeepUser = StepData<'keepUser', typeof fields>;

/** Writes a user where pods of the bundled manifests find it when they start, whatever version they run. */
export const keepUser: StepDefinition<'keepUser', typeof fields> = {
  kind: 'keepUser',
  description: 'Writes a user where pods find it when they start.',
  fields,
  example: { user: 'redis-cluster-operator', secret: 'redis-cluster' },
  isSaved: false,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'asking',
  text: ({ user, secret }) =>
    `Save the rules of user ${user} and the hash of its password in Secret ${secret}, for pods that start later`,
  ...losesNothing,
  command: noCommand,
  isDone: async (step, _snapshot, ports) => {
    const { text } = await read(step, ports);
    return text === keptText(text ?? '', step, ports);
  },
  check: async (step, _snapshot, ports) => {
    if ((await read(step, ports)).version !== undefined) return;
    throw refusal('not-found', `Secret ${step.secret} no longer exists.`);
  },
  act: async (step, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    const { text, version: resourceVersion } = await read(step, ports);
    const users = Buffer.from(keptText(text ?? '', step, ports)).toString('base64');
    const change = { metadata: { resourceVersion }, data: { [operatorUserKey]: users } };
    await access.patch('v1', 'Secret', namespace, step.secret, change, ports.signal);
  },
};

function keptText(text: string, { user }: KeepUser, ports: StepPorts): string {
  return withUserLine(text, user, rulesForAnyVersion(), hashOf(newPasswordOf(ports)));
}

async function read(
  { secret }: KeepUser,
  ports: StepPorts,
): Promise<{ readonly text?: string; readonly version?: string }> {
  const { access, namespace } = kubernetesOf(ports);
  const found = await access.get('v1', 'Secret', namespace, secret);
  if (found === undefined) return {};
  const { data = {}, metadata } = found as {
    readonly data?: Readonly<Record<string, string>>;
    readonly metadata: { readonly resourceVersion?: string };
  };
  const encoded = data[operatorUserKey];
  return {
    version: metadata.resourceVersion ?? '',
    ...(encoded === undefined ? {} : { text: Buffer.from(encoded, 'base64').toString() }),
  };
}
