import { formatAddress, isKubernetesRef, parseAddress } from '../model/clusterRef.ts';
import { shellWord } from '../model/shellWord.ts';
import type { ClusterSnapshot, RedisNode } from '../model/snapshot.ts';
import { formatSlots } from '../model/slots.ts';

/** One text that can be copied. */
export interface CopyText {
  /** What callers name it by. */
  readonly what: 'id' | 'address' | 'pod' | 'kubectl' | 'redisCli' | 'slots' | 'reference' | 'name';
  readonly label: string;
  readonly text: string;
}

/** What stands for a node, and the command lines that open redis-cli on it. None holds a password. */
export function nodeTexts({ ref }: ClusterSnapshot, node: RedisNode): readonly CopyText[] {
  const { id, host, port, pod, slots, reachedAt } = node;
  const reached = reachedAt === undefined || isKubernetesRef(ref) ? { host, port } : parseAddress(reachedAt);
  const line = ['redis-cli', '-c', '-h', reached.host, '-p', String(reached.port)];
  return [
    { what: 'id', label: 'Node id', text: id },
    ...(host === ''
      ? []
      : [
          { what: 'address' as const, label: 'Address', text: formatAddress({ host, port }) },
          { what: 'redisCli' as const, label: 'redis-cli command', text: commandLine(line) },
        ]),
    ...(pod === undefined || !isKubernetesRef(ref)
      ? []
      : [
          { what: 'pod' as const, label: 'Pod name', text: pod.name },
          {
            what: 'kubectl' as const,
            label: 'kubectl exec command',
            text: commandLine([
              ...['kubectl', '--context', ref.context, '-n', pod.namespace, 'exec', '-it', pod.name],
              ...['-c', pod.container, '--', 'redis-cli', '-p', String(pod.port)],
            ]),
          },
        ]),
    ...(slots.length === 0
      ? []
      : [{ what: 'slots' as const, label: 'Hash slots', text: formatSlots(slots) }]),
  ];
}

/** What stands for a cluster in key bindings, tasks and chats. */
export function clusterTexts({ ref, name, nodes }: ClusterSnapshot): readonly CopyText[] {
  const addresses = nodes.filter(({ host }) => host !== '').map(formatAddress);
  return [
    { what: 'name', label: 'Name', text: name },
    {
      what: 'reference',
      label: 'Reference for key bindings and tasks',
      text: JSON.stringify({ cluster: ref }),
    },
    ...(addresses.length === 0
      ? []
      : [{ what: 'address' as const, label: 'Addresses', text: addresses.join(' ') }]),
  ];
}

/** As a POSIX shell reads it. */
function commandLine(words: readonly string[]): string {
  return words.map(shellWord).join(' ');
}
