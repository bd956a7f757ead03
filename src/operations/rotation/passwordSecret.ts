import type { KubernetesObject } from '../../kubernetes/kubernetesAccess.ts';
import { previousPassword } from '../manifests/render.ts';
import { refusal } from '../servers/nodes.ts';
import { objectName, secretKey, uid } from '../steps/fields.ts';
import { kubernetesOf, type StepPorts } from '../steps/ports.ts';

/** The Secret with a cluster's password, as steps name it. */
export const secretFields = {
  workload: objectName,
  secret: objectName,
  key: secretKey,
  uid,
};

/** Such fields as they stand in a file. */
export const secretExample = {
  ...{ workload: 'shop', secret: 'shop-auth', key: 'password' },
  uid: '0b5e6a2c-0000-0000-0000-000000000000',
};

export interface PasswordSecret {
  readonly workload: string;
  readonly secret: string;
  readonly key: string;
  readonly uid: string;
}

/** A Secret as the API has it. */
export interface SecretObject extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
}

/** The Secret of that uid. Throws a UserError where it is gone, was replaced, or does not have the password any more. */
export async function readSecret(
  { secret, key, uid: wanted }: PasswordSecret,
  ports: StepPorts,
): Promise<SecretObject> {
  const { access, namespace } = kubernetesOf(ports);
  const found = (await access.get('v1', 'Secret', namespace, secret)) as SecretObject | undefined;
  if (found?.metadata.uid === wanted && found.data?.[key] !== undefined) return found;
  throw refusal('not-found', `Secret ${secret} was deleted or replaced, or no longer has the key ${key}.`);
}

/** The password that a Secret holds by that key. */
export function passwordIn({ data }: SecretObject, key: string): string {
  return Buffer.from(data?.[key] ?? '', 'base64').toString();
}

/** Whether a Secret holds two passwords, since a rotation is under way. */
export function holdsPrevious({ data }: SecretObject): boolean {
  return data?.[previousPassword] !== undefined;
}

/** Throws a UserError where the Secret is not the one that the cluster's pods mount their password from. */
export async function confirmSecret(step: PasswordSecret, ports: StepPorts): Promise<void> {
  const { access, namespace } = kubernetesOf(ports);
  const { workload, secret, key } = step;
  const { name, workloads } = await ports.readSnapshot();
  const found = (await access.discover(namespace)).find((one) => one.workload.name === workload);
  const isOwn =
    workloads.some((one) => one.name === workload) &&
    found?.passwordFrom?.secret === secret &&
    found.passwordFrom.key === key;
  if (!isOwn)
    throw refusal('unsafe', `Key ${key} of Secret ${secret} does not hold the password of ${name}.`);
  await readSecret(step, ports);
}

/** What to know where a rotation stops before its end. */
export function stoppedText({ secret }: Pick<PasswordSecret, 'secret'>): string {
  return `Both passwords remain valid until ${previousPassword} is removed from Secret ${secret} and the agents have applied that.`;
}
