import { execFile } from 'node:child_process';
import type { TestKubernetes } from '../startKubernetes.ts';

/** One kubectl call in a namespace; rejects with what it wrote to stderr. */
export type Kubectl = (args: readonly string[], stdin?: string) => Promise<string>;

export function kubectlIn(kubernetes: TestKubernetes, namespace: string): Kubectl {
  const target = ['--kubeconfig', kubernetes.kubeconfig, '--context', kubernetes.context, '-n', namespace];
  return async (args, stdin = '') => {
    const program = await kubernetes.findKubectl();
    return await new Promise((resolve, reject) => {
      // Node's own stdin is a socket, which cannot be opened as /dev/stdin; a shell's pipe can.
      const piped = ['-c', 'cat | "$0" "$@"', program, ...target, ...args];
      const child = execFile('sh', piped, { maxBuffer: 1 << 26 }, (error, stdout) => {
        if (error instanceof Error) reject(error);
        else resolve(stdout);
      });
      child.stdin?.end(stdin);
    });
  };
}
