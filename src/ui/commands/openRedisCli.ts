import * as vscode from 'vscode';
import type { KubernetesAccess } from '../../kubernetes/kubernetesAccess.ts';
import { isKubernetesRef, parseAddress } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import { nodeName } from '../../model/shards.ts';
import type { PodFacts } from '../../model/snapshot.ts';
import { confirmPod } from '../../operations/statefulSets/confirmPod.ts';
import { mayConnect } from '../../operations/statefulSets/rights.ts';
import { Asking } from '../questions/asking.ts';
import { localRedisCli, type LocalRedisCli } from '../localRedisCli.ts';
import type { Parts } from '../parts.ts';
import { podNamed } from '../podLogs.ts';
import { redisCliInPod } from '../redisCliInPod.ts';
import { clusterOf, nodeOf, textAnswer } from '../questions/target.ts';
import { podTerminal } from '../terminal.ts';

/** Opens a terminal with redis-cli on one node or pod: in its pod, or on this machine for a cluster outside Kubernetes. */
export async function openRedisCli(parts: Parts, argument: unknown): Promise<Outcome> {
  const { target, answers } = new Asking(parts, argument);
  const named = target?.kind === 'pod' ? target.pod : textAnswer(answers, 'pod');
  if (named !== undefined) {
    const ref = await clusterOf(parts, argument);
    // A server that is no node, or that cannot be read, is when a terminal is needed most.
    const snapshot = await parts.inventory.look(ref);
    const pod = podNamed(snapshot, named);
    const isRead = !snapshot.unread.some((one) => one.pod?.uid === pod.uid);
    if (isKubernetesRef(ref)) return openInPod(parts, ref.context, pod, isRead);
  }
  const { snapshot, node } = await nodeOf(parts, argument);
  const { ref } = snapshot;
  if (isKubernetesRef(ref)) {
    if (node.pod !== undefined) return openInPod(parts, ref.context, node.pod, node.view !== undefined);
    throw new UserError(
      'not-found',
      `Node ${node.id} does not run in a pod of ${ref.name}, so no terminal can be opened.`,
    );
  }
  // Where it announces to be, another cluster's server can answer: behind a tunnel, for one.
  if (node.reachedAt === undefined) {
    throw new UserError(
      'unreachable',
      `Node ${node.id} does not answer, so no terminal was opened. ${node.unreachable?.message ?? ''}`.trim(),
    );
  }
  const name = `redis-cli ${nodeName(node)}`;
  const credentials = (await parts.passwords.stored(ref)) ?? {};
  openHere(name, await localRedisCli(parseAddress(node.reachedAt), credentials));
  return { outcome: 'done', message: `${name} is open.` };
}

async function openInPod(parts: Parts, context: string, pod: PodFacts, isRead: boolean): Promise<Outcome> {
  const access = await parts.inventory.access(context);
  const name = `redis-cli ${pod.name}`;
  // Without the right to a Secret, what the container itself knows will do.
  const signIn = await parts.inventory.podSignIn(context, pod).catch(() => undefined);
  if (await mayConnect(access, 'pods/exec', pod.namespace).catch(() => true)) {
    const program = redisCliInPod(pod.port, signIn, isRead);
    vscode.window.createTerminal({ name, pty: podTerminal(access, pod, program) }).show();
    return { outcome: 'done', message: `${name} is open.` };
  }
  openHere(name, await throughForward(access, pod, signIn?.credentials ?? {}));
  return {
    outcome: 'done',
    message: `${name} is open. It runs on this machine through a port-forward, and follows no redirections: the rights to get and create pods/exec in namespace ${pod.namespace} are missing.`,
  };
}

/** Where exec is not allowed: only what is asked after the forward was opened says where it leads. */
async function throughForward(
  access: KubernetesAccess,
  pod: PodFacts,
  credentials: Parameters<typeof localRedisCli>[1],
): Promise<LocalRedisCli> {
  const forward = await access.forward(pod.namespace, pod.name, pod.port);
  try {
    await confirmPod(access, pod);
    const { end, ...program } = await localRedisCli({ path: forward.path }, credentials);
    return {
      ...program,
      end: async () => {
        forward.close();
        await end();
      },
    };
  } catch (error) {
    forward.close();
    throw error;
  }
}

function openHere(name: string, { shellPath, shellArgs, end }: LocalRedisCli): void {
  const iconPath = new vscode.ThemeIcon('terminal');
  const terminal = vscode.window.createTerminal({ name, shellPath, shellArgs: [...shellArgs], iconPath });
  const closed = vscode.window.onDidCloseTerminal((one) => {
    if (one !== terminal) return;
    closed.dispose();
    void end();
  });
  terminal.show();
}
