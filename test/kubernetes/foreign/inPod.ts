import { answeringRequest, redisCliInPod } from '../../../src/ui/redisCliInPod.ts';
import type { KubernetesAccess } from '../../../src/kubernetes/kubernetesAccess.ts';
import type { PodSignIn } from '../../../src/inventory/podSignIn.ts';
import type { PodFacts } from '../../../src/model/snapshot.ts';

/** What a terminal shows in which a person asks the node of a pod for the state of its cluster, and leaves. */
export async function clusterInfoInTerminal(
  access: KubernetesAccess,
  pod: PodFacts,
  signIn: PodSignIn,
): Promise<string> {
  const program = redisCliInPod(pod.port, signIn, true);
  let shown = '';
  const lines = ['cluster info\r', 'quit\r'];
  const awaited = [`:${pod.port}> `, 'cluster_size:'];
  const early: string[] = [];
  let send = (text: string): void => void early.push(text);
  const show = answeringRequest(
    (data) => {
      shown += data;
      // A terminal says where its cursor is.
      if (data.includes('\u001b[6n')) send('\u001b[1;1R');
      if (!shown.includes(awaited[0] ?? '\0')) return;
      awaited.shift();
      send(lines.shift() ?? '');
    },
    () => {
      send(`${program.password ?? ''}\n`);
    },
  );
  const session = await access.exec(pod.namespace, pod.name, pod.container, program.command, show);
  // Without a size, redis-cli asks the terminal for the place of its cursor.
  session.resize(120, 40);
  send = (text) => {
    session.write(text);
  };
  for (const text of early) send(text);
  const timer = setTimeout(() => {
    session.close();
  }, 20_000);
  await session.done;
  clearTimeout(timer);
  return shown;
}

/** What a shell's command in a pod writes until it ends. */
export async function runInPod(access: KubernetesAccess, pod: PodFacts, command: string): Promise<string> {
  let output = '';
  const program = ['timeout', '40', 'sh', '-c', `${command} </dev/null`];
  const session = await access.exec(pod.namespace, pod.name, pod.container, program, (text) => {
    output += text;
  });
  session.resize(160, 40);
  await session.done;
  return output;
}
