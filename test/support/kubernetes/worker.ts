import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addWorkerCgroup } from './cgroups.ts';
import type { Credentials } from './certificates.ts';
import { Component } from './component.ts';
import { holdWorker } from './heldWorker.ts';
import type { HeldWorker } from './heldWorker.ts';
import { copyImageStore } from './imageStore.ts';
import { pauseImage } from './images.ts';
import {
  bridge,
  cgroupName,
  dnsAddress,
  gateway,
  kubeconfigFile,
  podNetworkName,
  podRange,
  ports,
  socketFolder,
} from './layout.ts';
import type { Worker } from './layout.ts';

export interface PreparedWorker {
  /** Containerd and kubelet, not yet started. */
  readonly components: readonly Component[];
  readonly held: HeldWorker;
}

/** Prepares a worker's files and its two programs. */
export async function makeWorker(
  worker: Worker,
  kube: string,
  store: string,
  credentials: Credentials,
): Promise<PreparedWorker> {
  const { folder, name, address } = worker;
  const socket = join(socketFolder, `${name}.sock`);
  await mkdir(socketFolder, { recursive: true, mode: 0o700 });
  await mkdir(join(folder, 'cni'), { recursive: true });
  await addWorkerCgroup(name);
  await copyImageStore(store, join(folder, 'containerd'));
  await writeFile(join(folder, 'containerd.toml'), containerdConfig(folder, socket));
  await writeFile(join(folder, 'cni/pods.conflist'), JSON.stringify(podNetwork(worker)));
  await writeFile(join(folder, 'kubelet.yaml'), JSON.stringify(kubeletConfig(worker, socket, credentials)));
  const components = [
    new Component(`containerd-${name}`, ['containerd', '--config', join(folder, 'containerd.toml')]),
    new Component(`kubelet-${name}`, [
      ...[kube, 'kubelet', `--kubeconfig=${kubeconfigFile}`, `--config=${join(folder, 'kubelet.yaml')}`],
      ...[`--root-dir=${join(folder, 'kubelet')}`, `--cert-dir=${join(folder, 'pki')}`],
      ...[`--hostname-override=${name}`, `--node-ip=${address}`],
      `--node-labels=topology.kubernetes.io/zone=${worker.zone}`,
    ]),
  ];
  return { components, held: holdWorker(worker, components, socket) };
}

function containerdConfig(folder: string, socket: string): string {
  return `version = 2
root = "${join(folder, 'containerd')}"
state = "${join(folder, 'state')}"
[grpc]
address = "${socket}"
[plugins."io.containerd.internal.v1.opt"]
path = "${join(folder, 'opt')}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${pauseImage}"
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "${join(folder, 'cni')}"
`;
}

function podNetwork({ folder, firstPod, lastPod }: Worker): object {
  const range = { subnet: podRange, rangeStart: firstPod, rangeEnd: lastPod, gateway };
  const ipam = {
    type: 'host-local',
    ranges: [[range]],
    routes: [{ dst: '0.0.0.0/0' }],
    dataDir: join(folder, 'ipam'),
  };
  const plugin = { type: 'bridge', bridge, isGateway: false, ipMasq: false, hairpinMode: true, ipam };
  return { cniVersion: '1.0.0', name: podNetworkName, plugins: [plugin] };
}

function kubeletConfig({ name, address, folder }: Worker, socket: string, credentials: Credentials): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address,
    port: ports.kubelet,
    readOnlyPort: 0,
    healthzPort: 0,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: false },
      x509: { clientCAFile: credentials.ca },
    },
    authorization: { mode: 'AlwaysAllow' },
    tlsCertFile: credentials.certificate,
    tlsPrivateKeyFile: credentials.key,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroupName}/${name}`,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    // Kubelet deletes the logs of pods it does not know, which in a shared folder are the other workers'.
    podLogsDir: join(folder, 'logs'),
    // Else kubelet leaves chains behind in the machine's packet filter.
    makeIPTablesUtilChains: false,
    clusterDNS: [dnsAddress],
    clusterDomain: 'cluster.local',
    containerRuntimeEndpoint: `unix://${socket}`,
    // Pods resolve names of the cluster only.
    resolvConf: '/dev/null',
    nodeStatusUpdateFrequency: '2s',
    // A full disk or a busy machine must not evict the pods of a test.
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
  };
}
