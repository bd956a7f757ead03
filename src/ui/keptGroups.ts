import type * as vscode from 'vscode';
import type { GroupStore, SavedGroups } from '../inventory/lastGroups.ts';

const key = 'redisCluster.lastGroups';
/** How many namespaces are kept, those written last; and of each only one with at most so many node ids. */
const most = { namespaces: 50, ids: 2_000 };

type Kept = readonly (readonly [place: string, groups: SavedGroups])[];

/**
 * The groupings that were read last, over windows: a cluster that fell apart while none was open is still one. Names of
 * workloads and ids of nodes, no secret.
 */
export function keptGroups(state: vscode.Memento): GroupStore {
  const all = (): Kept => {
    const stored = state.get<unknown>(key);
    return Array.isArray(stored) ? stored.filter(isEntry) : [];
  };
  return {
    read: (context, namespace) => all().find(([place]) => place === placeOf(context, namespace))?.[1],
    write: (context, namespace, groups) => {
      const place = placeOf(context, namespace);
      const others = all().filter(([other]) => other !== place);
      const isSmall = groups.members.reduce((sum, [, ids]) => sum + ids.length, 0) <= most.ids;
      const kept = isSmall && groups.workloads.length <= most.ids ? [[place, groups] as const] : [];
      void state.update(key, [...kept, ...others].slice(0, most.namespaces));
    },
  };
}

/** A context may be called anything. */
function placeOf(context: string, namespace: string): string {
  return JSON.stringify([context, namespace]);
}

/** What another version has written is not trusted to have this one's shape. */
function isEntry(entry: unknown): entry is Kept[number] {
  if (!Array.isArray(entry)) return false;
  const [place, groups] = entry as readonly unknown[];
  if (typeof place !== 'string' || typeof groups !== 'object' || groups === null) return false;
  const { workloads, members } = groups as Partial<Record<keyof SavedGroups, unknown>>;
  const isPair = (pair: unknown): boolean => Array.isArray(pair) && typeof pair[0] === 'string';
  const isGroup = (pair: unknown): boolean => {
    const before: unknown = Array.isArray(pair) ? pair[1] : undefined;
    return isPair(pair) && typeof before === 'object' && before !== null && 'name' in before;
  };
  const isMembers = (pair: unknown): boolean => isPair(pair) && Array.isArray(pair) && Array.isArray(pair[1]);
  return (
    Array.isArray(workloads) && workloads.every(isGroup) && Array.isArray(members) && members.every(isMembers)
  );
}
