import * as vscode from 'vscode';
import { describeRef, isKubernetesRef } from '../../model/clusterRef.ts';
import { isAbort, messageOf, UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import { nodeName } from '../../model/shards.ts';
import type { Parts } from '../parts.ts';
import { nodeOf } from '../target.ts';

const tailLines = 500;
const open = new Map<string, { readonly channel: vscode.OutputChannel; stop: AbortController }>();

/** Shows a node's log in an output channel and follows it until the log is requested again or the window closes. */
export async function showLogs(parts: Parts, argument: unknown): Promise<Outcome> {
  const { snapshot, node } = await nodeOf(parts, argument);
  const { ref } = snapshot;
  if (!isKubernetesRef(ref) || node.pod === undefined) {
    throw new UserError(
      'not-found',
      `${nodeName(node)} of ${describeRef(ref)} does not run in a pod, so its log cannot be shown. Look on the machine where it runs.`,
    );
  }
  const { pod } = node;
  const access = await parts.inventory.access(ref.context);
  const title = `${pod.name} (${pod.namespace}, ${ref.context})`;
  const shown = open.get(title) ?? {
    channel: vscode.window.createOutputChannel(title),
    stop: new AbortController(),
  };
  shown.stop.abort();
  shown.stop = new AbortController();
  open.set(title, shown);
  shown.channel.clear();
  shown.channel.show(true);
  const append = (text: string): void => {
    shown.channel.append(text);
  };
  access
    .logs(pod.namespace, pod.name, pod.container, { tailLines }, append, shown.stop.signal)
    .catch((error: unknown) => {
      if (!isAbort(error)) append(`\n${messageOf(error)}\n`);
    });
  return { outcome: 'done', message: `Showing the log of ${pod.name}.` };
}

/** Ends all logs that are being followed. */
export function closeLogs(): void {
  for (const { channel, stop } of open.values()) {
    stop.abort();
    channel.dispose();
  }
  open.clear();
}
