import * as vscode from 'vscode';
import type { AddressClusterRef } from '../../model/clusterRef.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { Parts } from '../parts.ts';
import { revealNew } from '../revealNew.ts';

/** Starts the sandbox, a real cluster of six servers on this machine; reports its addresses if it runs already. */
export async function startSandbox(parts: Parts): Promise<Outcome & { cluster: AddressClusterRef }> {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: 'Starting the sandbox: six Redis servers on this machine',
    cancellable: true,
  };
  const cluster = await vscode.window.withProgress(options, (_progress, token) => {
    const abort = new AbortController();
    token.onCancellationRequested(() => {
      abort.abort();
    });
    return parts.sandbox.start(abort.signal);
  });
  void revealNew(parts, cluster, true);
  return { outcome: 'done', message: `The sandbox is running at ${cluster.addresses.join(', ')}.`, cluster };
}
