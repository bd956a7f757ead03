/**
 * Whether a key of a ConfigMap or Secret may be a server's configuration or its users: `redis.conf`, `users.acl`.
 * Sentinel's own file has passwords of other servers.
 */
export function isConfigurationKey(key: string): boolean {
  return /conf|\.acl$/i.test(key) && !/sentinel/i.test(key);
}
