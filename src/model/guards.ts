import { isKubernetesRef, type ClusterRef } from './clusterRef.ts';

/** Where this editor changes nothing, and where it asks for a word whatever was confirmed. */
export interface Guards {
  /** Names of contexts, or addresses of clusters outside Kubernetes; `*` stands for any characters. */
  readonly readOnly: readonly string[];
  readonly protected: readonly string[];
}

export type Guard = 'readOnly' | 'protected';

/**
 * The guard of a context, or of a cluster outside Kubernetes by any of its addresses. Read-only is the stronger one. The
 * patterns are not those of file names: a context's name has slashes and colons of its own, such as an ARN.
 */
export function guardOf(guarded: ClusterRef | string, guards: Guards): Guard | undefined {
  const names = namesOf(guarded);
  const isIn = (patterns: readonly string[]): boolean =>
    patterns.some((pattern) => names.some((name) => matches(name, pattern)));
  if (isIn(guards.readOnly)) return 'readOnly';
  return isIn(guards.protected) ? 'protected' : undefined;
}

/** What a person types to change something that is protected: the context, or the first address. */
export function guardedName(ref: ClusterRef): string {
  return namesOf(ref)[0] ?? '';
}

function namesOf(guarded: ClusterRef | string): readonly string[] {
  if (typeof guarded === 'string') return [guarded];
  return isKubernetesRef(guarded) ? [guarded.context] : guarded.addresses;
}

function matches(name: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(name);
}
