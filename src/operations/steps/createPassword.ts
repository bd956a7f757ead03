import { UserError } from '../../model/errors.ts';
import { instanceLabel, managedBy, managedByLabel } from '../manifests/render.ts';
import { randomPassword } from '../rotation/randomPassword.ts';
import { objectName, secretKey } from './fields.ts';
import { kubernetesOf, type StepPorts } from './ports.ts';
import { losesNothing, never, noCommand, type StepData, type StepDefinition } from './step.ts';

const fields = {
  cluster: objectName,
  secret: objectName,
  key: secretKey,
};

type CreatePassword = StepData<'createPassword', typeof fields>;

/** Makes a random password for a cluster that is deployed. One that is there is that of the volumes that may be there. */
export const createPassword: StepDefinition<'createPassword', typeof fields> = {
  kind: 'createPassword',
  description: 'Creates a Secret with a random password.',
  fields,
  example: { cluster: 'shop', secret: 'shop-auth', key: 'password' },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'asking',
  text: ({ secret }) => `Create Secret ${secret} with a random password`,
  ...losesNothing,
  command: noCommand,
  isDone: async (step, _snapshot, ports) => (await secretOf(step, ports)) !== undefined,
  check: (_step, _snapshot, ports) => {
    kubernetesOf(ports);
  },
  act: async ({ cluster, secret, key }, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    const labels = {
      'app.kubernetes.io/name': 'redis-cluster',
      [instanceLabel]: cluster,
      [managedByLabel]: managedBy,
    };
    const metadata = { name: secret, namespace, labels };
    const stringData = { [key]: randomPassword() };
    const object = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', stringData };
    try {
      await access.create(object, ports.signal);
    } catch (error) {
      if (!(error instanceof UserError && error.reason === 'conflict')) throw error;
    }
  },
};

async function secretOf({ secret }: CreatePassword, ports: StepPorts): Promise<unknown> {
  const { access, namespace } = kubernetesOf(ports);
  return await access.get('v1', 'Secret', namespace, secret);
}
