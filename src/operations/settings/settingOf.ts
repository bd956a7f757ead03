import type { NodeConnection } from '../../redis/nodeConnection.ts';

/** What a server has for a setting now; undefined where it has none of that name. CONFIG GET answers name and value. */
export async function settingOf(connection: NodeConnection, name: string): Promise<string | undefined> {
  const reply = await connection.call('CONFIG', 'GET', name);
  return Array.isArray(reply) && reply.length > 1 ? String(reply[1]) : undefined;
}
