import type { Container, PodSpec } from './apiObjects.ts';
import type { SecretKey } from './kubernetesAccess.ts';

/** Variables of the server's container that hold its password, as the common images and charts call them. */
const passwordVariable = /^(REDISCLI_AUTH|REDIS(CLI)?_?PASSWORD|VALKEY_?PASSWORD|.*REDIS.*PASS.*)$/i;
/** The file from which the scripts of the bundled manifests take it. */
const ownPasswordFile = '/etc/redis-cluster-auth/password';
/** The authority of those that speak TLS. */
const ownAuthorityFile = '/etc/redis-cluster-tls/ca.crt';

/** Whether the pods' scripts read the password from a mounted Secret, which changes while they run. */
export function isPasswordMounted(spec: PodSpec | undefined, container: Container): boolean {
  return mountedKey(spec, container, ownPasswordFile) !== undefined;
}

/** The Secret of the certificates of servers that speak TLS. */
export function tlsSecretOf(spec: PodSpec | undefined, container: Container): string | undefined {
  const isOn = container.env?.some(({ name, value }) => name === 'TLS' && value === 'yes') ?? false;
  return isOn ? mountedKey(spec, container, ownAuthorityFile)?.secret : undefined;
}

/** Where the server's password comes from: a mounted file where there is one, since it changes while the pod runs. */
export function passwordOf(spec: PodSpec | undefined, container: Container): SecretKey | undefined {
  const named = container.env?.find(
    ({ name }) => name.endsWith('PASSWORD_FILE') && passwordVariable.test(name),
  );
  const mounted = [ownPasswordFile, named?.value ?? ''].map((path) => mountedKey(spec, container, path));
  return mounted.find((one) => one !== undefined) ?? passwordInEnvironment(container);
}

function passwordInEnvironment({ env }: Container): SecretKey | undefined {
  for (const { name, valueFrom } of env ?? []) {
    const from = valueFrom?.secretKeyRef;
    if (from?.name !== undefined && passwordVariable.test(name)) return { secret: from.name, key: from.key };
  }
  return undefined;
}

/** The Secret and the key whose text a container sees at a path. */
function mountedKey(
  spec: PodSpec | undefined,
  { volumeMounts }: Container,
  path: string,
): SecretKey | undefined {
  for (const { name, mountPath } of volumeMounts ?? []) {
    const secret = spec?.volumes?.find((volume) => volume.name === name)?.secret;
    if (secret?.secretName === undefined || !path.startsWith(`${mountPath}/`)) continue;
    const file = path.slice(mountPath.length + 1);
    const key = secret.items === undefined ? file : secret.items.find((item) => item.path === file)?.key;
    if (key !== undefined) return { secret: secret.secretName, key };
  }
  return undefined;
}
