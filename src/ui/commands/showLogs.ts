import * as vscode from 'vscode';
import { describeRef, isKubernetesRef } from '../../model/clusterRef.ts';
import { isAbort, messageOf, UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import { nodeName } from '../../model/shards.ts';
import { confirmPod } from '../../operations/confirmPod.ts';
import type { KubernetesAccess } from '../../kubernetes/kubernetesAccess.ts';
import type { PodFacts } from '../../model/snapshot.ts';
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
  const { signal } = shown.stop;
  const append = (text: string): void => {
    shown.channel.append(text);
  };
  void followLog(access, pod, append, signal).catch((error: unknown) => {
    if (!isAbort(error) && !signal.aborted) append(`\n${messageOf(error)}\n`);
  });
  return { outcome: 'done', message: `Showing the log of ${pod.name}.` };
}

/** Shows nothing before the pod was asked for again: by now another one may have the name. */
async function followLog(
  access: KubernetesAccess,
  pod: PodFacts,
  append: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  let confirmed: Promise<void> | undefined;
  const onText = (text: string): void => {
    // Only what is asked after the log was opened says whose it is.
    confirmed ??= confirmPod(access, pod);
    confirmed
      .then(() => {
        append(text);
      })
      .catch(() => {
        over.abort();
      });
  };
  const either = AbortSignal.any([signal, over.signal]);
  await access.logs(pod.namespace, pod.name, pod.container, { tailLines }, onText, either);
  await confirmed;
}

/** Ends all logs that are being followed. */
export function closeLogs(): void {
  for (const { channel, stop } of open.values()) {
    stop.abort();
    channel.dispose();
  }
  open.clear();
}
