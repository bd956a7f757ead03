import type { Candidate, KubernetesAccess, SecretKey } from '../kubernetes/kubernetesAccess.ts';
import type { Credentials } from '../redis/nodeConnection.ts';
import { pace } from './pace.ts';

/** Reads what the servers of workloads ask for from the Secrets that their pods name. */
export class SecretReading {
  readonly #access: KubernetesAccess;
  readonly #secrets = new Map<string, Promise<string | undefined>>();

  constructor(access: KubernetesAccess) {
    this.#access = access;
  }

  /** Throws what reading a Secret throws. */
  async credentials({
    namespace,
    passwordFrom,
    passwordIsMounted,
    tlsFrom,
  }: Candidate): Promise<Credentials> {
    const read = (secret: string | undefined, key: string): Promise<string | undefined> =>
      secret === undefined ? Promise.resolve(undefined) : this.#secret(namespace, { secret, key });
    const [password, previousPassword, ca] = await Promise.all([
      read(passwordFrom?.secret, passwordFrom?.key ?? ''),
      read(passwordIsMounted === true ? passwordFrom?.secret : undefined, 'previous-password'),
      read(tlsFrom, 'ca.crt'),
    ]);
    return {
      ...(password === undefined ? {} : { password }),
      ...(previousPassword === undefined ? {} : { previousPassword }),
      ...(tlsFrom === undefined ? {} : { tls: ca === undefined ? {} : { ca } }),
    };
  }

  /** Kept for as long as it takes to open all connections of a cluster: a Secret may change at any time. */
  #secret(namespace: string, from: SecretKey): Promise<string | undefined> {
    const key = `${namespace}/${from.secret}/${from.key}`;
    const known = this.#secrets.get(key);
    if (known !== undefined) return known;
    const value = this.#access.readSecret(namespace, from);
    this.#secrets.set(key, value);
    const forget = (): boolean => this.#secrets.delete(key);
    value.then(() => setTimeout(forget, pace.secretKeptMs).unref(), forget);
    return value;
  }
}
