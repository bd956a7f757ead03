import type { KubernetesObject } from '../../kubernetes/kubernetesAccess.ts';

/** What stands on a volume so that it can be known later what it belonged to. No secret is in it. */
export interface ClaimRecord {
  /** `3x1` for three masters with a replica each. */
  readonly shape: string;
  /** `secret/key` of the password, or `none`. */
  readonly password: string;
}

/** A volume that an earlier cluster of the name has left. */
export interface LeftClaim {
  readonly name: string;
  /** The number of the pod it was made for. */
  readonly ordinal: number;
  /** Absent where this product did not make the volume. */
  readonly record?: ClaimRecord;
}

const shapeAnnotation = 'kubernetes-redis-cluster/shape';
const passwordAnnotation = 'kubernetes-redis-cluster/password';

/** A deployment's volumes are called `data-<name>-<ordinal>`. */
const volume = 'data';

export function claimAnnotations({ shape, password }: ClaimRecord): Readonly<Record<string, string>> {
  return { [shapeAnnotation]: shape, [passwordAnnotation]: password };
}

/** The volumes among a namespace's claims that pods of a deployment of that name would be given, in their order. */
export function leftClaims(claims: readonly KubernetesObject[], name: string): readonly LeftClaim[] {
  const prefix = `${volume}-${name}-`;
  return claims
    .filter((claim) => isOrdinalOf(claim.metadata.name, prefix))
    .map(({ metadata }) => {
      const ordinal = Number(metadata.name.slice(prefix.length));
      const { [shapeAnnotation]: shape, [passwordAnnotation]: password } = metadata.annotations ?? {};
      const known = shape !== undefined && password !== undefined;
      return { name: metadata.name, ordinal, ...(known ? { record: { shape, password } } : {}) };
    })
    .sort((a, b) => a.ordinal - b.ordinal);
}

/** Whether a name is the prefix and a number, as the pods and volumes of a StatefulSet are called. */
export function isOrdinalOf(name: string, prefix: string): boolean {
  return name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length));
}
