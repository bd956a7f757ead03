import type { Candidate, KubernetesAccess } from '../kubernetes/kubernetesAccess.ts';
import type { MountedObject, SignInSources } from '../kubernetes/signInSources.ts';
import type { Credentials } from '../redis/nodeConnection.ts';
import { pace } from './pace.ts';
import { SignInTexts, type Demanded, type Demands } from './signInTexts.ts';

/** What a server still demands of a client that shows these credentials; undefined where it did not answer. */
export type Demand = (shown: Credentials) => Promise<'nothing' | 'password' | 'tls' | undefined>;

interface Remembered {
  readonly demands: Demands;
  readonly until: number;
}

/** Reads what the servers of workloads ask for from the Secrets and ConfigMaps that their pods name. */
export class SecretReading {
  readonly #access: KubernetesAccess;
  readonly #objects = new Map<string, Promise<ReadonlyMap<string, string> | undefined>>();
  readonly #remembered = new Map<string, Remembered>();

  constructor(access: KubernetesAccess) {
    this.#access = access;
  }

  /**
   * What to show to the servers of a workload. What may be of no use to them is read only after a server has demanded
   * it; without `demand`, what it demanded last counts. Throws what reading a Secret or ConfigMap throws.
   */
  async credentials(candidate: Candidate, demand?: Demand): Promise<Credentials> {
    const { namespace, signIn, passwordFrom, passwordIsMounted } = candidate;
    if (signIn === undefined) return {};
    const texts = new SignInTexts(signIn, (kind, name) => this.#object(namespace, kind, name));
    const previous =
      passwordIsMounted === true && passwordFrom !== undefined
        ? texts.text({ secret: passwordFrom.secret, key: 'previous-password' })
        : undefined;
    const [sure, previousPassword] = await Promise.all([texts.sure(), previous]);
    if (mayLack(candidate, sure, signIn)) return this.#demanded(candidate, sure, texts, demand);
    return { ...sure, ...(previousPassword === undefined ? {} : { previousPassword }) };
  }

  async #demanded(
    { namespace, workload, uid = '' }: Candidate,
    sure: Credentials,
    texts: SignInTexts,
    demand: Demand | undefined,
  ): Promise<Credentials> {
    const key = `${namespace}/${workload.kind}/${workload.name}/${uid}`;
    const known = this.#remembered.get(key);
    if (known !== undefined && (demand === undefined || Date.now() < known.until)) {
      return texts.completed(sure, known.demands);
    }
    if (demand === undefined) return sure;
    const demands = new Set<Demanded>();
    let shown = sure;
    for (;;) {
      const demanded = await demand(shown);
      if (demanded === undefined) return shown;
      if (demanded === 'nothing' || demands.has(demanded) || shown[demanded] !== undefined) break;
      demands.add(demanded);
      shown = await texts.completed(sure, demands);
    }
    this.#remembered.set(key, { demands, until: Date.now() + pace.demandsKeptMs });
    return shown;
  }

  /** Kept for as long as it takes to open all connections of a cluster: a Secret may change at any time. */
  #object(
    namespace: string,
    kind: MountedObject['kind'],
    name: string,
  ): Promise<ReadonlyMap<string, string> | undefined> {
    const key = `${namespace}/${kind}/${name}`;
    const known = this.#objects.get(key);
    if (known !== undefined) return known;
    const value = this.#access.readTexts(namespace, kind, name);
    this.#objects.set(key, value);
    const forget = (): boolean => this.#objects.delete(key);
    value.then(() => setTimeout(forget, pace.secretKeptMs).unref(), forget);
    return value;
  }
}

/** Whether a server could demand something that is not shown; of the bundled manifests all is known. */
function mayLack(
  { workload }: Candidate,
  { password, tls }: Credentials,
  { ifRefused }: SignInSources,
): boolean {
  if (workload.bundled) return false;
  const hasMore = ifRefused.files.length > 0 || ifRefused.passwords.length > 0;
  return tls === undefined || (password === undefined && hasMore);
}
