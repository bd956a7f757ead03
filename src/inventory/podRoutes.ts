import type { Candidate, KubernetesAccess } from '../kubernetes/kubernetesAccess.ts';
import type { PodFacts } from '../model/snapshot.ts';
import type { Credentials } from '../redis/nodeConnection.ts';
import { demandOf } from './demand.ts';
import type { RedisReading, Route } from './nodeReader.ts';
import { SecretReading, type Demand } from './secretReading.ts';
import { signInWith, type StoredSignIn } from './signIn.ts';

/** How the servers in the pods of one context are reached, and what each is shown. */
export class PodRoutes {
  readonly #access: KubernetesAccess;
  readonly #redis: RedisReading;
  readonly #secrets: SecretReading;
  readonly #stored: StoredSignIn;
  /** Workloads, as `namespace/name`, whose servers speak TLS although nothing says so. */
  readonly #overTls = new Set<string>();

  constructor(
    access: KubernetesAccess,
    redis: RedisReading,
    stored: StoredSignIn = () => Promise.resolve(undefined),
  ) {
    this.#access = access;
    this.#redis = redis;
    this.#secrets = new SecretReading(access);
    this.#stored = stored;
  }

  /**
   * What the servers of a candidate are shown. Throws what reading a Secret throws, unless a person has signed in.
   * @param names what the cluster may be called that it is part of, the most likely first
   */
  async credentials(
    candidate: Candidate,
    names: readonly string[],
    { given, demand }: { readonly given?: Credentials | undefined; readonly demand?: Demand } = {},
  ): Promise<Credentials> {
    const stored = given ?? (await this.#storedFor(candidate, names));
    // Where a person has said how TLS is spoken, nothing that a server may demand has to be looked for.
    const asked = stored?.tls === undefined ? demand : undefined;
    const found = await this.#secrets.credentials(candidate, asked).catch((error: unknown) => {
      if (stored === undefined) throw error;
      return {};
    });
    const credentials = signInWith(found, stored);
    return this.#overTls.has(keyOf(candidate)) ? overTls(credentials) : credentials;
  }

  /** @param given instead of what a person has stored */
  async open(
    candidate: Candidate,
    { name, port }: PodFacts,
    names: readonly string[],
    given?: Credentials,
  ): Promise<Route> {
    const forward = await this.#access.forward(candidate.namespace, name, port);
    const endpoint = { path: forward.path, name: `pod ${name}` };
    const close = (): void => {
      forward.close();
    };
    try {
      const demand: Demand = (shown) => demandOf(this.#redis, endpoint, shown);
      const credentials = await this.credentials(candidate, names, { given, demand });
      return {
        ...{ endpoint, credentials, close, viaExec: forward.viaExec === true },
        overTls: () => {
          this.#overTls.add(keyOf(candidate));
          return overTls(credentials);
        },
        // A pod that has just started may not have the user that a person has signed in as.
        ...(given === undefined ? { ifRefused: () => this.credentials(candidate, [], { demand }) } : {}),
      };
    } catch (error) {
      close();
      throw error;
    }
  }

  async #storedFor({ namespace }: Candidate, names: readonly string[]): Promise<Credentials | undefined> {
    for (const name of names) {
      const stored = await this.#stored({ context: this.#access.context, namespace, name });
      if (stored !== undefined) return stored;
    }
    return undefined;
  }
}

function keyOf({ namespace, workload }: Candidate): string {
  return `${namespace}/${workload.name}`;
}

function overTls(credentials: Credentials): Credentials {
  return { ...credentials, tls: credentials.tls ?? {} };
}
