import * as vscode from 'vscode';
import { isKubernetesRef, parseAddress } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import { nodeName } from '../../model/shards.ts';
import { localRedisCli } from '../localRedisCli.ts';
import type { Parts } from '../parts.ts';
import { redisCliInPod } from '../redisCliInPod.ts';
import { nodeOf } from '../target.ts';
import { podTerminal } from '../terminal.ts';

/** Opens a terminal with redis-cli on one node: in its pod, or on this machine for a cluster outside Kubernetes. */
export async function openRedisCli(parts: Parts, argument: unknown): Promise<Outcome> {
  const { snapshot, node } = await nodeOf(parts, argument);
  const name = `redis-cli ${nodeName(node)}`;
  const { ref } = snapshot;
  if (isKubernetesRef(ref)) {
    if (node.pod === undefined) {
      throw new UserError(
        'not-found',
        `Node ${node.id} does not run in a pod of ${ref.name}, so no terminal can be opened.`,
      );
    }
    const access = await parts.inventory.access(ref.context);
    // Without the right to a Secret, what the container itself knows will do.
    const signIn = await parts.inventory.podSignIn(ref.context, node.pod).catch(() => undefined);
    const program = redisCliInPod(node.pod.port, signIn, node.view !== undefined);
    vscode.window.createTerminal({ name, pty: podTerminal(access, node.pod, program) }).show();
  } else {
    // Where it announces to be, another cluster's server can answer: behind a tunnel, for one.
    if (node.reachedAt === undefined) {
      throw new UserError(
        'unreachable',
        `Node ${node.id} does not answer, so no terminal was opened. ${node.unreachable?.message ?? ''}`.trim(),
      );
    }
    const credentials = (await parts.passwords.stored(ref)) ?? {};
    const { end, ...program } = await localRedisCli(parseAddress(node.reachedAt), credentials);
    const terminal = vscode.window.createTerminal({
      ...{ name, shellPath: program.shellPath, shellArgs: [...program.shellArgs] },
      iconPath: new vscode.ThemeIcon('terminal'),
    });
    const closed = vscode.window.onDidCloseTerminal((one) => {
      if (one !== terminal) return;
      closed.dispose();
      void end();
    });
    terminal.show();
  }
  return { outcome: 'done', message: `${name} is open.` };
}
