import { messageOf, UserError } from '../model/errors.ts';
import type { Credentials, Endpoint } from '../redis/nodeConnection.ts';
import type { RedisReading } from './nodeReader.ts';
import type { Demanded } from './signInTexts.ts';

/** What a server still demands of a client that shows these credentials; undefined where it did not say. */
export async function demandOf(
  redis: Pick<RedisReading, 'connectNode'>,
  endpoint: Endpoint,
  shown: Credentials,
): Promise<Demanded | 'nothing' | undefined> {
  try {
    const connection = await redis.connectNode(endpoint, shown);
    try {
      // A default user that may do next to nothing is no user to read with.
      await connection.call('CLUSTER', 'INFO');
      return 'nothing';
    } finally {
      connection.close();
    }
  } catch (error) {
    if (error instanceof UserError) return demands[error.reason];
    return messageOf(error).startsWith('NOPERM') ? 'password' : 'nothing';
  }
}

const demands: Readonly<Partial<Record<UserError['reason'], Demanded>>> = {
  'sign-in-needed': 'password',
  tls: 'tls',
};
