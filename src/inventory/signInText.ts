import type { PasswordSource, TextSource } from '../kubernetes/signInSources.ts';

/**
 * Where a password was found, as part of a sentence: `password from Secret shop-redis/redis-password`. A user whose name
 * stands in the pod's spec is named; no text of a Secret is.
 */
export function passwordText({ password, username }: PasswordSource): string {
  const user = username !== undefined && 'text' in username ? `user ${username.text()}, ` : '';
  return `${user}password from ${placeOf(password)}`;
}

/** `Secret shop-redis/redis-password`, `variable REDIS_PASSWORD of the pod`. */
export function placeOf(source: TextSource): string {
  if ('secret' in source) return `Secret ${source.secret}/${source.key}`;
  if ('configMap' in source) return `ConfigMap ${source.configMap}/${source.key}`;
  return `${source.place} of the pod`;
}
