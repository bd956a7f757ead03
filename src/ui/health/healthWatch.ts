import { clusterKey } from '../../model/clusterRef.ts';
import type { ClusterHealth } from './clusterHealth.ts';

/** A failover that succeeds at once is no news: problems have to last this long. */
const lastsMs = 3_000;

/** What was last concluded of a cluster. A cluster that was never healthy is not watched: its row says enough. */
type Watched = 'healthy' | 'notified' | { readonly unhealthySince: number };

/** Tells which clusters were healthy and are not any more: once for each, until it is healthy again. */
export class HealthWatch {
  readonly #clusters = new Map<string, Watched>();

  /** Takes what was read last, and returns the clusters that a user should hear of now. */
  next(healths: readonly ClusterHealth[], now: number): readonly ClusterHealth[] {
    return healths.filter((health) => this.#isNews(health, now));
  }

  #isNews({ ref, state }: ClusterHealth, now: number): boolean {
    const key = clusterKey(ref);
    const before = this.#clusters.get(key);
    if (state === 'ok') {
      this.#clusters.set(key, 'healthy');
      return false;
    }
    if (before === undefined || before === 'notified') return false;
    if (before === 'healthy') {
      this.#clusters.set(key, { unhealthySince: now });
      return false;
    }
    if (now - before.unhealthySince < lastsMs) return false;
    this.#clusters.set(key, 'notified');
    return true;
  }
}
