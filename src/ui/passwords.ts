import type * as vscode from 'vscode';
import { clusterKey, type AddressClusterRef } from '../model/clusterRef.ts';
import type { Credentials } from '../redis/nodeConnection.ts';

/** Passwords of clusters outside Kubernetes, in the editor's secret storage and nowhere else. */
export interface Passwords {
  read(ref: AddressClusterRef): Promise<Credentials>;
  store(ref: AddressClusterRef, credentials: Credentials): Promise<void>;
  forget(ref: AddressClusterRef): Promise<void>;
}

export function passwordsIn(storage: vscode.SecretStorage): Passwords {
  const name = (ref: AddressClusterRef): string => `credentials/${clusterKey(ref)}`;
  return {
    async read(ref) {
      const stored = await storage.get(name(ref));
      return stored === undefined ? {} : (JSON.parse(stored) as Credentials);
    },
    async store(ref, credentials) {
      await storage.store(name(ref), JSON.stringify(credentials));
    },
    async forget(ref) {
      await storage.delete(name(ref));
    },
  };
}
