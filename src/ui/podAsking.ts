import type { KubernetesAccess } from '../kubernetes/kubernetesAccess.ts';
import { NodeReader, type RedisReading } from '../inventory/nodeReader.ts';
import { UserError } from '../model/errors.ts';
import type { NodeView } from '../model/nodeView.ts';
import type { Credentials, NodeConnection } from '../redis/nodeConnection.ts';

/** Asks servers in pods by name, before the tree knows them: each over one connection that is kept until `close`. */
export interface PodAsking {
  readonly readNode: (namespace: string, pod: string, port: number) => Promise<NodeView>;
  /**
   * A connection of the caller's own. Throws UserError `unsafe` where the server is not the node that is meant, or not the
   * one that was read last where none is named.
   */
  readonly dial: (namespace: string, pod: string, port: number, nodeId?: string) => Promise<NodeConnection>;
  close(): void;
}

export function askPods(
  access: KubernetesAccess,
  redis: RedisReading,
  credentials: (namespace: string) => Promise<Credentials>,
): PodAsking {
  const readers = new Map<string, NodeReader>();
  const open = async (
    namespace: string,
    pod: string,
    port: number,
  ): ReturnType<ConstructorParameters<typeof NodeReader>[1]> => {
    const known = await credentials(namespace);
    const forward = await access.forward(namespace, pod, port);
    return {
      endpoint: { path: forward.path, name: `pod ${pod}` },
      credentials: known,
      close: () => {
        forward.close();
      },
    };
  };
  const readerOf = (namespace: string, pod: string, port: number): NodeReader => {
    const key = `${namespace}/${pod}/${port}`;
    const reader = readers.get(key) ?? new NodeReader(redis, () => open(namespace, pod, port));
    readers.set(key, reader);
    return reader;
  };
  return {
    dial: (namespace, pod, port, nodeId) => readerOf(namespace, pod, port).dial(nodeId),
    async readNode(namespace, pod, port) {
      const reader = readerOf(namespace, pod, port);
      reader.retryNow();
      await reader.read();
      const { view, failure } = reader.reading;
      if (view === undefined)
        throw new UserError('unreachable', failure?.message ?? `Pod ${pod} does not answer.`);
      return view;
    },
    close() {
      for (const reader of readers.values()) reader.close();
    },
  };
}
