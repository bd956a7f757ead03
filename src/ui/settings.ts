import * as vscode from 'vscode';
import type { Guards } from '../model/guards.ts';

/** The product's settings, as the manifest declares them. */
export interface Settings {
  /** Kubeconfig files; empty means KUBECONFIG or ~/.kube/config. */
  readonly kubeconfigs: readonly string[];
  /** Context → the namespaces to look at; a context that is not named here is looked at whole. */
  readonly namespaces: Readonly<Record<string, readonly string[]>>;
  /** Clusters outside Kubernetes, each the addresses of one or more of its nodes, separated by commas. */
  readonly addresses: readonly string[];
  readonly guards: Guards;
  /** Address that a server announces → the one at which this machine reaches it. */
  readonly addressMap: Readonly<Record<string, string>>;
  /** The redis-server the sandbox starts; empty means what is installed. */
  readonly redisServer: string;
  /** Whether the status bar shows the cluster that the user selected. */
  readonly statusBar: boolean;
  /** Whether a cluster that becomes unhealthy while it is read is notified. */
  readonly notifyUnhealthy: boolean;
  /** How slots move where a command is not told, as somebody has typed it. */
  readonly move: {
    readonly pace: unknown;
    readonly limits: {
      readonly latencyMs: unknown;
      readonly lagBytes: unknown;
      readonly memoryPercent: unknown;
      /** A time of day; empty where there is no maintenance window. */
      readonly until: string;
    };
  };
}

const section = 'redisCluster';

export function readSettings(): Settings {
  const settings = vscode.workspace.getConfiguration(section);
  return {
    kubeconfigs: settings.get<readonly string[]>('kubeconfigs', []),
    namespaces: settings.get<Readonly<Record<string, readonly string[]>>>('namespaces', {}),
    addresses: settings.get<readonly string[]>('addresses', []),
    addressMap: settings.get<Readonly<Record<string, string>>>('addressMap', {}),
    guards: {
      readOnly: settings.get<readonly string[]>('readOnlyContexts', []),
      protected: settings.get<readonly string[]>('protectedContexts', []),
    },
    redisServer: settings.get<string>('sandbox.redisServer', ''),
    statusBar: settings.get<boolean>('statusBar', true),
    notifyUnhealthy: settings.get<boolean>('notifyUnhealthy', true),
    move: {
      pace: settings.get<unknown>('move.pace', 'gentle'),
      limits: {
        latencyMs: settings.get<unknown>('move.limits.latencyMs', null),
        lagBytes: settings.get<unknown>('move.limits.lagBytes', null),
        memoryPercent: settings.get<unknown>('move.limits.memoryPercent', null),
        until: settings.get<string>('move.limits.until', ''),
      },
    },
  };
}

export async function saveAddresses(addresses: readonly string[]): Promise<void> {
  await vscode.workspace
    .getConfiguration(section)
    .update('addresses', addresses, vscode.ConfigurationTarget.Global);
}

export async function saveAddressMap(addressMap: Settings['addressMap']): Promise<void> {
  await vscode.workspace
    .getConfiguration(section)
    .update('addressMap', addressMap, vscode.ConfigurationTarget.Global);
}

/** Calls back when one of the product's settings changed. */
export function onSettingsChanged(listener: () => void): vscode.Disposable {
  return vscode.workspace.onDidChangeConfiguration((event) => {
    if (event.affectsConfiguration(section)) listener();
  });
}
