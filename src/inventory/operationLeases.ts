import type { KubernetesAccess } from '../kubernetes/kubernetesAccess.ts';
import { UserError } from '../model/errors.ts';
import {
  commandAnnotation,
  leaseLabel,
  leaseLabelValue,
  leaseName,
  leaseSeconds,
  leaseVersion,
  titleAnnotation,
  type OperationLease,
} from '../model/operationLease.ts';
import type { RunningWork } from '../model/snapshot.ts';
import { pace } from './pace.ts';

/** Longer than any operation of this product leaves its Lease without a renewal. */
const longestSeconds = 2 * leaseSeconds;

interface Seen {
  readonly lease: OperationLease;
  /** When this renewal was seen first, by this machine's clock. */
  readonly since: number;
  /** An older renewal was seen before, so that its holder lives, whatever its clock says. */
  readonly renewed: boolean;
  /** Since when it is gone. */
  readonly goneAt?: number;
}

interface Rights {
  readonly mayList: boolean;
  readonly mayGet: boolean;
  /** When to ask again. */
  readonly until: number;
}

/**
 * The operations that colleagues run, by the Leases that these hold (see operations/run/lease.ts). Where Leases may not be
 * read nothing is known of them: reading a cluster never fails for that.
 */
export class OperationLeases {
  readonly #access: KubernetesAccess;
  readonly #clock: () => number;
  readonly #seen = new Map<string, Seen>();
  readonly #rights = new Map<string, Rights>();
  readonly #readAt = new Map<string, number>();

  constructor(access: KubernetesAccess, clock: () => number = Date.now) {
    this.#access = access;
    this.#clock = clock;
  }

  /** Reads the Leases of these clusters where they have not been read a moment ago. @param now read them in any case */
  async read(clusters: ReadonlyMap<string, readonly string[]>, now: boolean): Promise<void> {
    await Promise.all(
      [...clusters].map(async ([namespace, names]) => {
        const age = this.#clock() - (this.#readAt.get(namespace) ?? 0);
        if (!now && age < pace.leasesEveryMs) return;
        this.#readAt.set(namespace, this.#clock());
        const leases = await this.#leases(namespace, names);
        if (leases !== undefined) this.#note(namespace, leases);
      }),
    );
  }

  /** What runs on a cluster now, or ended a few seconds ago. */
  on(namespace: string, name: string): RunningWork | undefined {
    const seen = this.#seen.get(keyOf(namespace, leaseName({ name })));
    if (seen === undefined || !this.#isAlive(seen)) return undefined;
    const { metadata, spec } = seen.lease;
    const operation = metadata.annotations?.[commandAnnotation];
    return {
      title: metadata.annotations?.[titleAnnotation] ?? 'Another operation',
      holder: spec?.holderIdentity ?? '',
      ...(operation === undefined ? {} : { operation }),
      ...(seen.goneAt === undefined ? {} : { ended: true }),
    };
  }

  /** By renewals that were seen, since clocks differ; one that was never seen to be renewed, by its own time. */
  #isAlive({ lease: { spec }, since, renewed, goneAt }: Seen): boolean {
    const now = this.#clock();
    if (goneAt !== undefined) return now - goneAt <= pace.settlesMs;
    // Whoever wrote the Lease: no operation explains faults for long without renewing it.
    const duration = Math.min(spec?.leaseDurationSeconds ?? leaseSeconds, longestSeconds) * 1000;
    if (now - since > duration) return false;
    return renewed || Math.abs(now - Date.parse(spec?.renewTime ?? '')) <= duration;
  }

  #note(namespace: string, leases: readonly OperationLease[]): void {
    const now = this.#clock();
    const held = new Map(
      leases
        .filter(({ spec }) => (spec?.holderIdentity ?? '') !== '')
        .map((lease) => [keyOf(namespace, lease.metadata.name), lease]),
    );
    for (const [key, seen] of this.#seen) {
      if (key.startsWith(`${namespace}/`) && !held.has(key)) this.#miss(key, seen);
    }
    for (const [key, lease] of held) {
      const before = this.#seen.get(key);
      const same = before?.goneAt === undefined && before?.lease.spec?.renewTime === lease.spec?.renewTime;
      if (before !== undefined && same) this.#seen.set(key, { ...before, lease });
      else this.#seen.set(key, { lease, since: now, renewed: before !== undefined });
    }
  }

  /** An operation whose Lease is gone has ended now; one that died explains nothing. */
  #miss(key: string, seen: Seen): void {
    if (!this.#isAlive(seen)) this.#seen.delete(key);
    else if (seen.goneAt === undefined) this.#seen.set(key, { ...seen, goneAt: this.#clock() });
  }

  /** Undefined where they could not be read. */
  async #leases(namespace: string, names: readonly string[]): Promise<readonly OperationLease[] | undefined> {
    const now = this.#clock();
    const known = this.#rights.get(namespace);
    const rights = known !== undefined && now < known.until ? known : { mayList: true, mayGet: true };
    const until = now + pace.rightsKeptMs;
    try {
      if (rights.mayList) {
        const label = `${leaseLabel}=${leaseLabelValue}`;
        return await this.#access.list(leaseVersion, 'Lease', namespace, label);
      }
      return rights.mayGet ? await this.#each(namespace, names) : undefined;
    } catch (error) {
      if (!(error instanceof UserError) || error.reason !== 'forbidden') return undefined;
      this.#rights.set(namespace, { mayList: false, mayGet: rights.mayList && rights.mayGet, until });
      return rights.mayList ? await this.#leases(namespace, names) : undefined;
    }
  }

  async #each(namespace: string, names: readonly string[]): Promise<readonly OperationLease[]> {
    const own = [...new Set(names.map((name) => leaseName({ name })))];
    const found = await Promise.all(
      own.map((name) => this.#access.get(leaseVersion, 'Lease', namespace, name)),
    );
    return found.filter((lease) => lease !== undefined);
  }
}

function keyOf(namespace: string, lease: string): string {
  return `${namespace}/${lease}`;
}
