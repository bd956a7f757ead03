import type { ApiClient } from './client.ts';
import type { SecretKey } from './kubernetesAccess.ts';
import { ApiFailure } from './problems.ts';

/** One key of a Secret as text; undefined where the Secret or the key is not there. It is never logged. */
export async function readSecret(
  client: ApiClient,
  namespace: string,
  { secret, key }: SecretKey,
): Promise<string | undefined> {
  try {
    const object = (await client.json({
      asked: { verb: 'get', resource: 'secrets', namespace, name: secret },
      method: 'GET',
      path: `/api/v1/namespaces/${namespace}/secrets/${secret}`,
    })) as { readonly data?: Readonly<Record<string, string>> };
    const value = object.data?.[key];
    return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
  } catch (error) {
    if (error instanceof Error && error.cause instanceof ApiFailure && error.cause.status === 404)
      return undefined;
    throw error;
  }
}
