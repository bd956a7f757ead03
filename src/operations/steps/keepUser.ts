import type { StepOf } from '../../model/plan.ts';
import { refusal } from '../nodes.ts';
import { operatorUserKey, withUserLine } from '../operatorUser/kept.ts';
import { hashOf } from '../operatorUser/onServer.ts';
import { rulesForAnyVersion } from '../operatorUser/rules.ts';
import { kubernetesOf, newPasswordOf, type StepPorts } from './ports.ts';
import type { StepRun } from './step.ts';

/** Writes a user where pods of the bundled manifests find it when they start, whatever version they run. */
export const keepUser: StepRun<'keepUser'> = {
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

function keptText(text: string, { user }: StepOf<'keepUser'>, ports: StepPorts): string {
  return withUserLine(text, user, rulesForAnyVersion(), hashOf(newPasswordOf(ports)));
}

async function read(
  { secret }: StepOf<'keepUser'>,
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
