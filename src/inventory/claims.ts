import { clusterKey, isKubernetesRef, type AddressClusterRef, type ClusterRef } from '../model/clusterRef.ts';
import { pace } from './pace.ts';

/** What is read for as long as somebody needs it: a whole context, since pods are watched by context, or one cluster. */
export type Claim = { readonly context: string } | { readonly ref: AddressClusterRef };

/** Gives back a claim made by `need`; calling it twice is harmless. */
export type Release = () => void;

/** What has to be read so that a cluster is. */
export function claimOf(ref: ClusterRef): Claim {
  return isKubernetesRef(ref) ? { context: ref.context } : { ref };
}

/** One text per claim. */
export function claimKey(claim: Claim): string {
  return 'context' in claim ? `context/${claim.context}` : clusterKey(claim.ref);
}

/** Counts who needs what, and says when nobody has for a while. */
export class Claims {
  readonly #counts = new Map<string, number>();
  readonly #ends = new Map<string, NodeJS.Timeout>();
  readonly #onUnneeded: (claim: Claim) => void;

  constructor(onUnneeded: (claim: Claim) => void) {
    this.#onUnneeded = onUnneeded;
  }

  isHeld(claim: Claim): boolean {
    return this.#counts.has(claimKey(claim));
  }

  hold(claim: Claim): Release {
    const key = claimKey(claim);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    clearTimeout(this.#ends.get(key));
    this.#ends.delete(key);
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      const left = (this.#counts.get(key) ?? 1) - 1;
      if (left > 0) {
        this.#counts.set(key, left);
        return;
      }
      this.#counts.delete(key);
      const end = (): void => {
        this.#ends.delete(key);
        this.#onUnneeded(claim);
      };
      this.#ends.set(key, setTimeout(end, pace.lingerMs));
    };
  }

  dispose(): void {
    for (const timer of this.#ends.values()) clearTimeout(timer);
  }
}
