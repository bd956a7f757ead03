import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatAddress } from '../../../src/model/clusterRef.ts';
import { formCluster } from '../../../src/redis/formCluster.ts';
import type { Credentials } from '../../../src/redis/nodeConnection.ts';
import { startServers } from '../../../src/sandbox/servers.ts';
import { makeAuthority } from '../authority.ts';
import { flagged } from '../startRedisCluster.ts';

export interface TlsCluster {
  /** `localhost:port`, which their certificates name; the servers list each other by IP address. */
  readonly addresses: readonly string[];
  /** What all servers accept: user `ops`, and a certificate of their authority. */
  readonly credentials: Required<Pick<Credentials, 'username' | 'password' | 'tls'>>;
  /** The authority of others. */
  readonly foreignAuthority: string;
  stop(): Promise<void>;
}

/**
 * A cluster that is reached over TLS only, with a certificate of one's own and as another user than `default`, which is
 * off: as operators set up clusters that others must not enter.
 */
export async function startTlsCluster(password: string): Promise<TlsCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'tls-cluster-'));
  const [own, other] = [await makeAuthority('own'), await makeAuthority('other')];
  const issued = await own.issue(['localhost']);
  const file = (name: string): string => join(folder, name);
  for (const [name, text] of Object.entries(issued)) await writeFile(file(name), text);
  await writeFile(file('users.acl'), `user default off\nuser ops on >${password} ~* &* +@all\n`);
  // The port is chosen at the start: the one that is written for plain text is the one for TLS.
  const flags = '--port 0 --tls-port "$port" --tls-cluster yes --tls-replication yes';
  const program = await flagged(folder, 'redis-server', flags);
  const running = await startServers({
    program,
    folder: join(folder, 'servers'),
    count: 4,
    config: {
      ...{ 'cluster-node-timeout': '2000', aclfile: file('users.acl') },
      ...{ masteruser: 'ops', masterauth: password, 'tls-auth-clients': 'yes' },
      ...{ 'tls-cert-file': file('tls.crt'), 'tls-key-file': file('tls.key') },
      'tls-ca-cert-file': file('ca.crt'),
    },
  });
  const tls = { ca: issued['ca.crt'], cert: issued['tls.crt'], key: issued['tls.key'] };
  const credentials = { username: 'ops', password, tls };
  const stop = async (): Promise<void> => {
    await running.stop();
    await Promise.all([own.dispose(), other.dispose()]);
  };
  try {
    const shape = { masters: 2, replicasPerMaster: 1 };
    await formCluster(running.servers, credentials, shape, AbortSignal.timeout(60_000));
  } catch (error) {
    await stop();
    throw error;
  }
  const addresses = running.servers.map(({ port }) => formatAddress({ host: 'localhost', port }));
  return { addresses, credentials, foreignAuthority: other.certificate, stop };
}
