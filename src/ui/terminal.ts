import * as vscode from 'vscode';
import type { ExecSession, KubernetesAccess } from '../kubernetes/kubernetesAccess.ts';
import { confirmPod } from '../operations/statefulSets/confirmPod.ts';
import { messageOf } from '../model/errors.ts';
import type { PodFacts } from '../model/snapshot.ts';
import { answeringRequest, type PodProgram } from './redisCliInPod.ts';

/**
 * A terminal whose program runs in a pod, which is asked for again: by now another one may have the name. A password is
 * written to the program when it requests it, and is in no argument, environment or output.
 */
export function podTerminal(
  access: KubernetesAccess,
  pod: PodFacts,
  { command, password }: PodProgram,
): vscode.Pseudoterminal {
  const output = new vscode.EventEmitter<string>();
  const end = new vscode.EventEmitter<number>();
  let session: ExecSession | undefined;
  let size: vscode.TerminalDimensions | undefined;
  let closed = false;
  const connect = async (): Promise<void> => {
    try {
      const held: string[] = [];
      let show = (data: string): void => void held.push(data);
      const opened = await access.exec(pod.namespace, pod.name, pod.container, command, (data) => {
        show(data);
      });
      // Only what is asked after the program was started says where it runs.
      await confirmPod(access, pod).catch((error: unknown) => {
        opened.close();
        throw error;
      });
      show = answeringRequest(
        (data) => {
          output.fire(data);
        },
        () => {
          opened.write(`${password ?? ''}\n`);
        },
      );
      show(held.join(''));
      session = opened;
      if (closed) session.close();
      if (size !== undefined) session.resize(size.columns, size.rows);
      const { exitCode } = await session.done;
      end.fire(exitCode);
    } catch (error) {
      output.fire(`${messageOf(error).replaceAll('\n', '\r\n')}\r\n`);
    }
  };
  return {
    onDidWrite: output.event,
    onDidClose: end.event,
    open: (dimensions) => {
      size = dimensions;
      output.fire(`Connecting to pod ${pod.name}…\r\n`);
      void connect();
    },
    setDimensions: (dimensions) => {
      size = dimensions;
      session?.resize(dimensions.columns, dimensions.rows);
    },
    handleInput: (data) => {
      session?.write(data);
    },
    close: () => {
      closed = true;
      session?.close();
    },
  };
}
