import * as vscode from 'vscode';
import { describeRef, isKubernetesRef } from '../../model/clusterRef.ts';
import { isAbort, messageOf, UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import { nodeName } from '../../model/shards.ts';
import { confirmPod } from '../../operations/statefulSets/confirmPod.ts';
import type { KubernetesAccess } from '../../kubernetes/kubernetesAccess.ts';
import type { PodFacts } from '../../model/snapshot.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { logsOfPod, podNamed, type PodLog } from '../podLogs.ts';
import { clusterOf, nodeOf, picked, textAnswer } from '../questions/target.ts';

const tailLines = 500;
const open = new Map<string, { readonly channel: vscode.OutputChannel; stop: AbortController }>();

/**
 * Shows a log of a pod in an output channel and follows it until the log is requested again or the window closes: that of
 * a node's server, or of any container of any pod of the cluster.
 */
export async function showLogs(parts: Parts, argument: unknown): Promise<Outcome> {
  const asking = new Asking(parts, argument);
  const { pod, context } = await podOf(parts, argument, asking);
  const access = await parts.inventory.access(context);
  const log = await chosenLog(asking, pod, await logsOfPod(access, pod));
  const of = log.container === pod.container && !log.previous ? pod.name : `${pod.name} ${labelOf(log)}`;
  const title = `${of} (${pod.namespace}, ${context})`;
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
  void followLog(access, pod, log, append, signal).catch((error: unknown) => {
    if (!isAbort(error) && !signal.aborted) append(`\n${messageOf(error)}\n`);
  });
  return { outcome: 'done', message: `Showing the log of ${of}.` };
}

/** The pod of a row, of the argument's `pod` or of a node. */
async function podOf(
  parts: Parts,
  argument: unknown,
  { target, answers }: Asking,
): Promise<{ readonly pod: PodFacts; readonly context: string }> {
  const name = target?.kind === 'pod' ? target.pod : textAnswer(answers, 'pod');
  if (name !== undefined) {
    const ref = await clusterOf(parts, argument);
    // Logs are needed most where no server answers.
    const pod = podNamed(await parts.inventory.look(ref), name);
    if (isKubernetesRef(ref)) return { pod, context: ref.context };
  }
  const { snapshot, node } = await nodeOf(parts, argument);
  const { ref } = snapshot;
  if (isKubernetesRef(ref) && node.pod !== undefined) return { pod: node.pod, context: ref.context };
  throw new UserError(
    'not-found',
    `${nodeName(node)} of ${describeRef(ref)} does not run in a pod, so its log cannot be shown. Look on the machine where it runs.`,
  );
}

/** What the argument says, or what a person picks where there is a choice; the server's present log otherwise. */
async function chosenLog(
  { answers, isPerson }: Asking,
  { name, container }: PodFacts,
  logs: readonly PodLog[],
): Promise<PodLog> {
  const wanted = textAnswer(answers, 'container');
  const previous = answers['previous'] === true;
  if (wanted === undefined && !previous && isPerson && logs.length > 1) {
    const items = logs.map((log) => ({ label: labelOf(log), log }));
    const options = { title: `Logs of ${name}`, placeHolder: 'Select a container' };
    return (await picked(vscode.window.showQuickPick(items, options))).log;
  }
  const log = logs.find((one) => one.container === (wanted ?? container) && one.previous === previous);
  if (log !== undefined) return log;
  throw new UserError(
    'not-found',
    `Pod ${name} has no log of ${labelOf({ container: wanted ?? container, previous })}. It has: ${logs.map(labelOf).join(', ')}.`,
  );
}

function labelOf({ container, previous }: PodLog): string {
  return previous ? `${container} (before the last restart)` : container;
}

/** Shows nothing before the pod was asked for again: by now another one may have the name. */
async function followLog(
  access: KubernetesAccess,
  pod: PodFacts,
  { container, previous }: PodLog,
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
  await access.logs(pod.namespace, pod.name, container, { tailLines, previous }, onText, either);
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
