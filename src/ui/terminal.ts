import * as vscode from 'vscode';
import type { ExecSession, KubernetesAccess } from '../kubernetes/kubernetesAccess.ts';
import { confirmPod } from '../operations/confirmPod.ts';
import { messageOf } from '../model/errors.ts';
import type { PodFacts } from '../model/snapshot.ts';

/** A terminal whose program runs in a pod, which is asked for again: by now another one may have the name. */
export function podTerminal(
  access: KubernetesAccess,
  pod: PodFacts,
  command: readonly string[],
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
      show = (data) => {
        output.fire(data);
      };
      output.fire(held.join(''));
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

/**
 * Starts redis-cli (or valkey-cli) inside the container: by the script of the bundled manifests, which knows the present
 * password and certificates, or with the password that the container's own environment holds. It never stands in an
 * argument: REDISCLI_AUTH is what redis-cli reads.
 * https://redis.io/docs/latest/develop/tools/cli/
 */
export function redisCliInPod(port: number): readonly string[] {
  const script =
    'if [ -r /opt/redis-cluster/cli.sh ]; then exec sh /opt/redis-cluster/cli.sh; fi; ' +
    'REDISCLI_AUTH="${REDISCLI_AUTH:-${REDIS_PASSWORD:-${REDISCLI_PASSWORD:-${VALKEY_PASSWORD:-}}}}"; ' +
    'if [ -n "$REDISCLI_AUTH" ]; then export REDISCLI_AUTH; else unset REDISCLI_AUTH; fi; ' +
    'if command -v redis-cli >/dev/null; then exec redis-cli -p "$0"; else exec valkey-cli -p "$0"; fi';
  return ['sh', '-c', script, String(port)];
}
