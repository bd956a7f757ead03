import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from './binaries.ts';
import type { Credentials } from './certificates.ts';
import { Component } from './component.ts';
import {
  contextName,
  dnsAddress,
  gateway,
  kubeconfigFile,
  podRange,
  ports,
  runFolder,
  serviceRange,
} from './layout.ts';

/** Etcd and the API server, not yet started. */
export function makeApi(binaries: Binaries, credentials: Credentials): readonly Component[] {
  const { ca, certificate, key, serviceAccountKey, tokens } = credentials;
  const etcd = `https://127.0.0.1:${ports.etcd}`;
  const flags = {
    'etcd-servers': etcd,
    'etcd-cafile': ca,
    'etcd-certfile': certificate,
    'etcd-keyfile': key,
    'bind-address': gateway,
    'advertise-address': gateway,
    'secure-port': ports.apiserver,
    'tls-cert-file': certificate,
    'tls-private-key-file': key,
    'kubelet-certificate-authority': ca,
    'kubelet-client-certificate': certificate,
    'kubelet-client-key': key,
    'kubelet-preferred-address-types': 'InternalIP',
    'service-account-key-file': serviceAccountKey,
    'service-account-signing-key-file': serviceAccountKey,
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-cluster-ip-range': serviceRange,
    'token-auth-file': tokens,
    'authorization-mode': 'RBAC',
    'allow-privileged': 'true',
  };
  return [
    new Component('etcd', [
      ...['etcd', '--data-dir', join(runFolder, 'etcd'), '--unsafe-no-fsync'],
      ...['--listen-client-urls', etcd, '--advertise-client-urls', etcd],
      ...['--listen-peer-urls', `http://127.0.0.1:${ports.etcdPeer}`],
      ...['--cert-file', certificate, '--key-file', key, '--trusted-ca-file', ca, '--client-cert-auth'],
    ]),
    new Component('apiserver', [binaries.kube, 'apiserver', ...toArguments(flags)]),
  ];
}

/** What else makes a cluster, each a client of the API server: controllers, scheduler, services, DNS and volumes. */
export async function makeControllers(
  binaries: Binaries,
  credentials: Credentials,
): Promise<readonly Component[]> {
  // At the usual 20 requests a second a dozen volumes are bound one after the other, and a kubelet that looks between
  // two of its steps tries again 13 s later.
  const pace = { 'kube-api-qps': 200, 'kube-api-burst': 400 };
  const common = {
    ...pace,
    kubeconfig: kubeconfigFile,
    'leader-elect': 'false',
    'bind-address': '127.0.0.1',
  };
  const controllerFlags = {
    ...common,
    'secure-port': ports.controllerManager,
    'service-account-private-key-file': credentials.serviceAccountKey,
    'root-ca-file': credentials.ca,
    'use-service-account-credentials': 'true',
    // A worker that stops is noticed after 10 s instead of 50 s.
    'node-monitor-grace-period': '10s',
  };
  const schedulerFlags = {
    ...common,
    'secure-port': ports.scheduler,
    // A pod whose volume is bound just while the scheduler gives it up is not told, and waits five minutes otherwise.
    'pod-max-in-unschedulable-pods-duration': '10s',
  };
  const volumes = join(runFolder, 'volumes');
  await mkdir(volumes);
  return [
    new Component('controller-manager', [
      ...[binaries.kube, 'controller-manager'],
      ...toArguments(controllerFlags),
    ]),
    new Component('scheduler', [binaries.kube, 'scheduler', ...toArguments(schedulerFlags)]),
    new Component('proxy', [binaries.kube, 'proxy', `--config=${await writeProxyConfig()}`]),
    new Component('dns', [binaries.addons, '-conf', await writeCorefile()]),
    new Component('provisioner', [
      ...[binaries.addons, 'provisioner'],
      ...toArguments({ kubeconfig: kubeconfigFile, root: volumes }),
    ]),
  ];
}

function toArguments(flags: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
}

/** One proxy serves all workers, as they share this machine's network. */
async function writeProxyConfig(): Promise<string> {
  const file = join(runFolder, 'proxy.yaml');
  const config = {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clientConnection: { kubeconfig: kubeconfigFile },
    clusterCIDR: podRange,
    hostnameOverride: 'worker-0',
    bindAddress: '127.0.0.1',
    healthzBindAddress: `127.0.0.1:${ports.proxyHealth}`,
    metricsBindAddress: `127.0.0.1:${ports.proxyMetrics}`,
    // Pods share one bridge, past which a reply would go to the caller without its address being put back.
    nftables: { masqueradeAll: true, minSyncPeriod: '100ms' },
    conntrack: { maxPerCore: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  };
  await writeFile(file, JSON.stringify(config));
  return file;
}

async function writeCorefile(): Promise<string> {
  const file = join(runFolder, 'Corefile');
  await writeFile(
    file,
    `.:53 {
  bind ${dnsAddress}
  errors
  ready 127.0.0.1:${ports.dnsReady}
  kubernetes cluster.local {
    kubeconfig ${kubeconfigFile} ${contextName}
    ttl 1
  }
}
`,
  );
  return file;
}
