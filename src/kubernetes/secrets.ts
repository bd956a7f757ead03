import type { ApiClient } from './client.ts';
import type { SecretKey } from './kubernetesAccess.ts';
import { ApiFailure } from './problems.ts';

/** One key of a Secret as text; undefined where the Secret or the key is not there. It is never logged. */
export async function readSecret(
  client: ApiClient,
  namespace: string,
  { secret, key }: SecretKey,
): Promise<string | undefined> {
  return (await readTexts(client, namespace, 'secrets', secret))?.get(key);
}

/** All texts of a Secret or ConfigMap by key; undefined where it is not there. They are never logged. */
export async function readTexts(
  client: ApiClient,
  namespace: string,
  kind: 'secrets' | 'configmaps',
  name: string,
): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    const { data = {} } = (await client.json({
      asked: { verb: 'get', resource: kind, namespace, name },
      method: 'GET',
      path: `/api/v1/namespaces/${namespace}/${kind}/${name}`,
    })) as { readonly data?: Readonly<Record<string, string>> };
    const text = (value: string): string =>
      kind === 'secrets' ? Buffer.from(value, 'base64').toString('utf8') : value;
    return new Map(Object.entries(data).map(([key, value]) => [key, text(value)]));
  } catch (error) {
    if (error instanceof Error && error.cause instanceof ApiFailure && error.cause.status === 404)
      return undefined;
    throw error;
  }
}
