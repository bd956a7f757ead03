import type { Candidate } from '../kubernetes/kubernetesAccess.ts';
import type { PasswordSource, TextSource, TlsSources } from '../kubernetes/signInSources.ts';

/**
 * What is known of signing in to the servers of a workload and where it was found, as part of a sentence: `password from
 * Secret shop-redis/redis-password`. Undefined where its pods' spec names nothing.
 */
export function signInText({ signIn }: Pick<Candidate, 'signIn'>): string | undefined {
  const [first] = [...(signIn?.passwords ?? []), ...(signIn?.ifRefused.passwords ?? [])];
  const password = first === undefined ? undefined : passwordText(first);
  const tls = signIn?.tls === undefined ? undefined : tlsText(signIn.tls);
  const parts = [password, tls].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(', ');
}

/** A user whose name stands in the pod's spec is named; no text of a Secret is. */
export function passwordText({ password, username }: PasswordSource): string {
  const user = username !== undefined && 'text' in username ? `user ${username.text()}, ` : '';
  return `${user}password from ${placeOf(password)}`;
}

function tlsText({ ca, cert }: TlsSources): string {
  const parts = [
    ca && `certificate authority from ${placeOf(ca)}`,
    cert && `client certificate from ${placeOf(cert)}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? 'TLS' : parts.join(', ');
}

/** `Secret shop-redis/redis-password`, `variable REDIS_PASSWORD of the pod`. */
export function placeOf(source: TextSource): string {
  if ('secret' in source) return `Secret ${source.secret}/${source.key}`;
  if ('configMap' in source) return `ConfigMap ${source.configMap}/${source.key}`;
  return `${source.place} of the pod`;
}
