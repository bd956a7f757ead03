import type { KubernetesAccess } from '../kubernetes/kubernetesAccess.ts';
import { UserError } from '../model/errors.ts';
import type { PasswordPorts } from '../operations/steps/ports.ts';
import type { RedisReading } from '../inventory/nodeReader.ts';
import type { Credentials } from '../redis/nodeConnection.ts';

/** Asks servers in pods whether they take a password. @param credentials by which TLS they speak */
export function passwordTrying(
  access: KubernetesAccess,
  redis: RedisReading,
  credentials: () => Promise<Credentials>,
): PasswordPorts['tried'] {
  return async ({ namespace, pod, port, node }, password) => {
    try {
      const { tls } = await credentials();
      const forward = await access.forward(namespace, pod, port);
      try {
        const endpoint = { path: forward.path, name: `pod ${pod}` };
        const shown = { password, ...(tls === undefined ? {} : { tls }) };
        const connection = await redis.connectNode(endpoint, shown);
        const found = await redis.readNodeView(connection).finally(() => {
          connection.close();
        });
        return found.self.id === node ? 'accepted' : 'silent';
      } finally {
        forward.close();
      }
    } catch (error) {
      return error instanceof UserError && error.reason === 'sign-in-needed' ? 'refused' : 'silent';
    }
  };
}
