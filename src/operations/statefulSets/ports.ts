import type { NodeView } from '../../model/nodeView.ts';
import type { NodeConnection } from '../../redis/nodeConnection.ts';
import type { WaitPorts } from './waitForPods.ts';

/** Servers in pods, be they members of the cluster yet or not. */
export interface PodPorts {
  /** Asks the server in a pod for its own view; rejects where it does not answer. */
  readonly readNode: (namespace: string, pod: string, port: number) => Promise<NodeView>;
  /**
   * Lends a connection to the server in a pod, which has just said that it is this node, or the one that was read last
   * where none is named. Rejects with a UserError `unsafe` where it is another.
   */
  readonly withNode: <T>(
    namespace: string,
    pod: string,
    port: number,
    use: (connection: NodeConnection) => Promise<T>,
    nodeId?: string,
  ) => Promise<T>;
  /** Makes the agent in a pod stand back until it is released. */
  readonly pauseAgent: (namespace: string, pod: string, port: number) => Promise<{ release(): void }>;
}

/** What renewing pods needs of the world. */
export interface UpgradePorts extends WaitPorts, Pick<PodPorts, 'readNode' | 'withNode'> {
  /** The cluster-node-timeout of a server, in milliseconds. */
  readonly readNodeTimeout: (connection: NodeConnection) => Promise<number>;
}

/** The StatefulSet that is worked on, and the port its servers listen at. */
export interface Place {
  readonly namespace: string;
  readonly statefulSet: string;
  readonly port: number;
}
