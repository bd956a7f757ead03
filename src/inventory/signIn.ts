import { isIP } from 'node:net';
import {
  isKubernetesRef,
  parseAddress,
  type AddressClusterRef,
  type ClusterRef,
} from '../model/clusterRef.ts';
import { UserError, type UserErrorReason } from '../model/errors.ts';
import type { ClusterSnapshot, ReadFailureReason } from '../model/snapshot.ts';
import type { Credentials } from '../redis/nodeConnection.ts';
import { NodeReader, type RedisReading, type Route } from './nodeReader.ts';

/** What a person has signed in with to a cluster; undefined where nobody has. */
export type StoredSignIn = (ref: ClusterRef) => Promise<Credentials | undefined>;

/**
 * What servers are shown: what a person has stored wins over what was found in the pods' spec. Where only one of them
 * says how TLS is spoken, that is taken.
 */
export function signInWith(found: Credentials, stored: Credentials | undefined): Credentials {
  if (stored === undefined) return found;
  const tls = stored.tls ?? found.tls;
  const { username, password, previousPassword, foundIn } =
    stored.username === undefined && stored.password === undefined ? found : stored;
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(previousPassword === undefined ? {} : { previousPassword }),
    ...(foundIn === undefined ? {} : { foundIn }),
    ...(tls === undefined ? {} : { tls }),
  };
}

/**
 * The references under which a sign-in to a cluster may be kept, the cluster's own first. Workloads that could not be read
 * are rows of their own, and one cluster under another name once they are.
 */
export function signInRefs({
  ref,
  workloads,
}: Pick<ClusterSnapshot, 'ref' | 'workloads'>): readonly ClusterRef[] {
  if (!isKubernetesRef(ref)) return [ref];
  const names = new Set([ref.name, ...workloads.map(({ name }) => name)]);
  return [...names].map((name) => ({ ...ref, name }));
}

/** The host name by which a person named a cluster; undefined where there are only IP addresses. */
export function hostNameOf({ addresses }: AddressClusterRef): string | undefined {
  return addresses.map((address) => parseAddress(address).host).find((host) => isIP(host) === 0);
}

/**
 * By address the server's certificate has to bear a name that the person gave: the server name, the host by which it is
 * dialled, or, at an IP address that the nodes list, the host by which the cluster was added.
 */
export function checkingNames(credentials: Credentials, host: string, ref: AddressClusterRef): Credentials {
  const { tls } = credentials;
  if (tls === undefined || tls.serverName !== undefined || isIP(host) === 0) return credentials;
  const named = hostNameOf(ref);
  return named === undefined ? credentials : { ...credentials, tls: { ...tls, serverName: named } };
}

const userReasons: Readonly<Partial<Record<ReadFailureReason, UserErrorReason>>> = {
  password: 'sign-in-needed',
  rejected: 'sign-in-needed',
  tls: 'tls',
  command: 'forbidden',
  forbidden: 'forbidden',
  'not-clustered': 'not-clustered',
};

/**
 * Reads servers by these routes until one has answered or has said what it misses; others may be down. Throws a UserError
 * with the reason where none could be read.
 */
export async function tryRoutes(
  redis: RedisReading,
  routes: readonly (() => Promise<Route>)[],
): Promise<void> {
  let problem = new UserError('unreachable', 'No server of the cluster runs.');
  for (const open of routes) {
    const reader = new NodeReader(redis, open);
    await reader.read();
    reader.close();
    const { failure } = reader.reading;
    if (failure === undefined) return;
    problem = new UserError(userReasons[failure.reason] ?? 'unreachable', failure.message);
    if (failure.reason !== 'unreachable' && failure.reason !== 'timeout') break;
  }
  throw problem;
}
