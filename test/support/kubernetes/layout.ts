import { join } from 'node:path';
import { cacheFolder } from './cache.ts';

/** The built cluster's kubeconfig context. */
export const contextName = 'kubernetes-redis-cluster-test';

/** Everything the running cluster writes. It is beside the images' store, so that layers can be hard links. */
export const runFolder = join(cacheFolder, 'run');
export const kubeconfigFile = join(runFolder, 'kubeconfig');

/** Sockets are apart: the kernel allows their paths 107 bytes, which a home folder's name may use up. */
export const socketFolder = '/run/kubernetes-redis-cluster';

/** Every process of the cluster has this in its environment or is below this cgroup, so none is lost sight of. */
export const runMark = `KUBERNETES_REDIS_CLUSTER_RUN=${runFolder}`;
export const cgroupName = 'kubernetes-redis-cluster';

/**
 * All workers are on one bridge whose addresses this machine shares, so it reaches pods directly. The ranges are
 * unlike those of Docker (172.17), Podman (10.88), kind (10.244, 10.96) and k3s (10.42, 10.43).
 */
export const bridge = 'redistest0';
export const gateway = '10.213.0.1';
/** Names the records that the network plugins keep outside the run folder. */
export const podNetworkName = 'kubernetes-redis-cluster';
export const podRange = '10.213.0.0/16';
export const serviceRange = '10.214.0.0/16';
/** Cluster DNS answers on a link-local address of the loopback interface, away from the machine's own DNS. */
export const dnsAddress = '169.254.20.10';

export const ports = {
  apiserver: 16443,
  etcd: 23790,
  etcdPeer: 23800,
  kubelet: 16250,
  controllerManager: 16257,
  scheduler: 16259,
  proxyHealth: 16256,
  proxyMetrics: 16249,
  dnsReady: 18181,
} as const;

export interface Worker {
  readonly name: string;
  readonly address: string;
  readonly folder: string;
  /** Pods get addresses of this range within `podRange`. */
  readonly firstPod: string;
  readonly lastPod: string;
  readonly zone: string;
}

export const workers: readonly Worker[] = [0, 1, 2].map((index) => ({
  name: `worker-${index}`,
  address: `10.213.0.${10 + index}`,
  folder: join(runFolder, `worker-${index}`),
  firstPod: `10.213.${index + 1}.1`,
  lastPod: `10.213.${index + 1}.250`,
  zone: `zone-${index}`,
}));
