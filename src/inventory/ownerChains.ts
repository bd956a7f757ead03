import type { Candidate, KubernetesAccess, Owner } from '../kubernetes/kubernetesAccess.ts';
import { UserError } from '../model/errors.ts';
import { pace } from './pace.ts';

/** Longer chains than this are not followed. */
const longestChain = 8;
/** How many owners are asked for at once. */
const atOnce = 8;

interface Known {
  /** What controls it; undefined where nothing does, or where that may not be read. */
  readonly above: Owner | undefined;
  /** When to ask again. */
  readonly until: number;
}

/**
 * Who owns the owners of workloads: an operator often makes an object for each node, and one above these for the
 * cluster. Each owner is read once, and not again for minutes. Kinds may be unknown to the API or not for this user to
 * read: the chain ends there, and reading a cluster never fails for that.
 */
export class OwnerChains {
  readonly #access: Pick<KubernetesAccess, 'get'>;
  readonly #clock: () => number;
  readonly #known = new Map<string, Known>();

  constructor(access: Pick<KubernetesAccess, 'get'>, clock: () => number = Date.now) {
    this.#access = access;
    this.#clock = clock;
  }

  /** Reads what is not known of the owners above these workloads; a namespace with one workload has none to join. */
  async read(candidates: readonly Candidate[]): Promise<void> {
    const byNamespace = Map.groupBy(candidates, ({ namespace }) => namespace);
    let left = [...byNamespace].flatMap(([namespace, those]) =>
      those.length < 2
        ? []
        : those.flatMap(({ owner }) => (owner === undefined ? [] : [{ namespace, owner }])),
    );
    for (let level = 1; left.length > 0 && level < longestChain; level++) {
      const distinct = [...new Map(left.map((one) => [keyOf(one.namespace, one.owner), one])).values()];
      await this.#readAll(distinct);
      left = distinct.flatMap(({ namespace, owner }) => {
        const above = this.#known.get(keyOf(namespace, owner))?.above;
        return above === undefined ? [] : [{ namespace, owner: above }];
      });
    }
  }

  /** `Kind/name` of the owners of a workload, as far as they are known; the one that controls the workload first. */
  of({ namespace, owner }: Pick<Candidate, 'namespace' | 'owner'>): readonly string[] {
    const chain: string[] = [];
    for (let one = owner; one !== undefined && chain.length < longestChain;) {
      chain.push(`${one.kind}/${one.name}`);
      one = this.#known.get(keyOf(namespace, one))?.above;
    }
    return chain;
  }

  async #readAll(all: readonly { readonly namespace: string; readonly owner: Owner }[]): Promise<void> {
    const waiting = all.filter(({ namespace, owner }) => {
      return (this.#known.get(keyOf(namespace, owner))?.until ?? 0) <= this.#clock();
    });
    const next = async (): Promise<void> => {
      for (let one = waiting.pop(); one !== undefined; one = waiting.pop())
        await this.#readOne(one.namespace, one.owner);
    };
    await Promise.all(Array.from({ length: atOnce }, next));
  }

  async #readOne(namespace: string, owner: Owner): Promise<void> {
    const key = keyOf(namespace, owner);
    const until = this.#clock() + pace.rightsKeptMs;
    try {
      const object = await this.#access.get(owner.apiVersion, owner.kind, namespace, owner.name);
      const above = controllerOf(object?.metadata);
      this.#known.set(key, { above, until });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const isPassing = error.reason === 'unreachable';
      this.#known.set(key, {
        above: this.#known.get(key)?.above,
        until: isPassing ? this.#clock() + pace.apiRetryMs : until,
      });
    }
  }
}

function keyOf(namespace: string, { apiVersion, kind, name }: Owner): string {
  return `${namespace}/${apiVersion}/${kind}/${name}`;
}

function controllerOf(metadata: object | undefined): Owner | undefined {
  const { ownerReferences = [] } = (metadata ?? {}) as {
    readonly ownerReferences?: readonly (Owner & { readonly controller?: boolean })[];
  };
  const found = ownerReferences.find(({ controller }) => controller === true);
  return found && { apiVersion: found.apiVersion, kind: found.kind, name: found.name };
}
