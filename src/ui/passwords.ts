import type * as vscode from 'vscode';
import { clusterKey, type ClusterRef } from '../model/clusterRef.ts';
import type { Credentials } from '../redis/nodeConnection.ts';

/** What people have signed in with to clusters, in the editor's secret storage and nowhere else. */
export interface Passwords {
  /** Undefined where nobody has signed in. */
  stored(ref: ClusterRef): Promise<Credentials | undefined>;
  /** Whether somebody has, as far as it has been read. */
  has(ref: ClusterRef): boolean;
  store(ref: ClusterRef, credentials: Credentials): Promise<void>;
  forget(ref: ClusterRef): Promise<void>;
}

/** Each entry is read once, since every connection asks for it, and again after it changed, perhaps in another window. */
export function passwordsIn(storage: vscode.SecretStorage): Passwords {
  const name = (ref: ClusterRef): string => `credentials/${clusterKey(ref)}`;
  const entries = new Map<string, Promise<Credentials | undefined>>();
  const present = new Set<string>();
  const read = async (key: string): Promise<Credentials | undefined> => {
    const text = await storage.get(key);
    if (text === undefined) present.delete(key);
    else present.add(key);
    return text === undefined ? undefined : (JSON.parse(text) as Credentials);
  };
  storage.onDidChange(({ key }) => {
    entries.delete(key);
  });
  return {
    stored(ref) {
      const key = name(ref);
      const known = entries.get(key) ?? read(key);
      entries.set(key, known);
      known.catch(() => entries.delete(key));
      return known;
    },
    has: (ref) => present.has(name(ref)),
    async store(ref, credentials) {
      await storage.store(name(ref), JSON.stringify(credentials));
      entries.delete(name(ref));
      present.add(name(ref));
    },
    async forget(ref) {
      await storage.delete(name(ref));
      entries.delete(name(ref));
      present.delete(name(ref));
    },
  };
}
