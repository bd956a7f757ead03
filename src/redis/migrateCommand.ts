import type { Address } from '../model/clusterRef.ts';
import type { Argument, Credentials } from './nodeConnection.ts';

interface Migrate {
  /** The receiver as the server that is told to migrate reaches it, never as this machine does. */
  readonly target: Address;
  readonly credentials: Credentials;
  readonly timeoutMs: number;
  readonly options?: readonly ('COPY' | 'REPLACE')[];
}

/** MIGRATE of keys of one slot; the server hands on the credentials, as its own peers ask for the same. */
export function migrateCommand(
  { target, credentials: { username, password }, timeoutMs, options = [] }: Migrate,
  keys: readonly Buffer[],
): Argument[] {
  const user = username === undefined ? ['AUTH', password ?? ''] : ['AUTH2', username, password ?? ''];
  const auth = password === undefined ? [] : user;
  return ['MIGRATE', target.host, target.port, '', 0, timeoutMs, ...options, ...auth, 'KEYS', ...keys];
}

/** The refusal that a reply to MIGRATE is, where it is neither OK nor NOKEY. */
export function migrateRefusal(reply: unknown): Error {
  return reply instanceof Error ? reply : new Error(`unexpected reply to MIGRATE: ${String(reply)}`);
}

/** Whether another try may get over a refusal of MIGRATE. */
export function mayPass({ message }: Error): boolean {
  return /^IOERR|BUSYKEY|CLUSTERDOWN|LOADING|TRYAGAIN/.test(message);
}
