import type { KubernetesObject } from '../../../src/kubernetes/kubernetesAccess.ts';
import type { Credentials } from '../../../src/redis/nodeConnection.ts';
import type { TestImages } from '../../support/kubernetes/images.ts';

/** A cluster as another project deploys it: its objects, and what the product has to make of them. */
export interface Shape {
  /** Of its masters, and of its replicas where an upgrade has come no further. */
  readonly image: keyof TestImages;
  readonly replicaImage?: keyof TestImages;
  /** Under which the tree has to show it. */
  readonly name: string;
  /** What makes its pods; those of the masters first. Pods are called after the workload. */
  readonly workloads: readonly string[];
  /** Other names that lead to it; those of its workloads where absent. */
  readonly references?: readonly string[];
  /** How redis-cli within a pod is called to reach its server as somebody who may do everything. */
  readonly cli: string;
  /** What a client shows to write. */
  readonly client: Pick<Credentials, 'username' | 'password' | 'tls'>;
  /** Where the password is found without asking; absent where the servers want none. */
  readonly foundIn?: string;
  /** What a person has to sign in with before slots can be moved; absent where the spec says enough. */
  readonly signIn?: Credentials;
  /** Who refuses scaling, upgrading and deleting here, as the refusal calls it; absent where nothing is refused. */
  readonly owner?: string;
  /** The object whose operator may undo a reshard. */
  readonly operator?: string;
  /** Whether pods have volumes with nodes.conf, so that they come back as who they were. */
  readonly keepsFiles: boolean;
  /** Whether its pods form the cluster without anybody. */
  readonly formsItself?: boolean;
  /** Whether the first pod of each workload is a master and the others follow it. */
  readonly shardPerWorkload?: boolean;
  make(maker: Maker): Promise<void>;
}

/** What objects are made with. */
export interface Maker {
  readonly namespace: string;
  readonly image: (key: keyof TestImages) => string;
  create(object: KubernetesObject): Promise<void>;
  /** An object of a custom resource whose kind the API is taught first; returns what its dependents name as their owner. */
  custom(apiVersion: string, kind: string, name: string, owner?: OwnerReference): Promise<OwnerReference>;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller: true;
}

/** The pods of one workload. */
export interface ServerPods {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner?: OwnerReference;
  readonly replicas: number;
  readonly container: string;
  readonly image: string;
  /** What the project's image does, as a script: it makes a configuration and starts the server. */
  readonly run: string;
  readonly ports: readonly object[];
  readonly ping: string;
  readonly env?: readonly object[];
  readonly envFrom?: readonly object[];
  readonly mounts?: readonly object[];
  readonly volumes?: readonly object[];
  readonly beside?: readonly object[];
  readonly init?: readonly object[];
  /** A claim for each pod. */
  readonly claim?: { readonly name: string; readonly mountPath: string; readonly subPath?: string };
  readonly podFields?: Readonly<Record<string, unknown>>;
}

/** The script that stands for what is in the project's image. */
export function scriptOf({ name, run }: Pick<ServerPods, 'name' | 'run'>): KubernetesObject {
  return {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${name}-scripts` } },
    data: { 'run.sh': run },
  };
}

export function podSpec(pods: ServerPods): Readonly<Record<string, unknown>> {
  const { claim } = pods;
  const data = claim === undefined ? [] : [{ ...claim }];
  return {
    ...{ terminationGracePeriodSeconds: 1, ...pods.podFields },
    ...(pods.init === undefined ? {} : { initContainers: pods.init }),
    containers: [
      {
        ...{ name: pods.container, image: pods.image, command: ['sh', '/scripts/run.sh'] },
        ...{ env: pods.env ?? [], envFrom: pods.envFrom ?? [], ports: pods.ports },
        volumeMounts: [{ name: 'scripts', mountPath: '/scripts' }, ...data, ...(pods.mounts ?? [])],
        readinessProbe: {
          exec: { command: ['sh', '-c', `(${pods.ping} ping) 2>/dev/null | grep -q PONG`] },
          ...{ periodSeconds: 2, timeoutSeconds: 5 },
        },
      },
      ...(pods.beside ?? []),
    ],
    volumes: [{ name: 'scripts', configMap: { name: `${pods.name}-scripts` } }, ...(pods.volumes ?? [])],
  };
}

function metadataOf({ name, labels, annotations = {}, owner }: ServerPods): KubernetesObject['metadata'] {
  const references = owner === undefined ? {} : { ownerReferences: [owner] };
  return { name, labels, annotations, ...references };
}

export function statefulSet(pods: ServerPods): readonly KubernetesObject[] {
  const { claim } = pods;
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  return [
    scriptOf(pods),
    {
      ...{ apiVersion: 'v1', kind: 'Service' },
      metadata: { name: `${pods.name}-headless`, labels: pods.labels },
      spec: {
        ...{ clusterIP: 'None', selector: pods.labels, publishNotReadyAddresses: true },
        ports: [{ name: 'tcp', port: 6379 }],
      },
    },
    {
      ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: metadataOf(pods) },
      spec: {
        ...{ serviceName: `${pods.name}-headless`, replicas: pods.replicas, podManagementPolicy: 'Parallel' },
        selector: { matchLabels: pods.labels },
        template: { metadata: { labels: pods.labels }, spec: podSpec(pods) },
        volumeClaimTemplates: claim === undefined ? [] : [{ metadata: { name: claim.name }, spec }],
      },
    },
  ];
}

export function deployment(pods: ServerPods): readonly KubernetesObject[] {
  return [
    scriptOf(pods),
    {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: metadataOf(pods) },
      spec: {
        ...{ replicas: pods.replicas, strategy: { type: 'Recreate' } },
        selector: { matchLabels: pods.labels },
        template: { metadata: { labels: pods.labels }, spec: podSpec(pods) },
      },
    },
  ];
}

export const secret = (name: string, stringData: Readonly<Record<string, string>>): KubernetesObject => ({
  ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData },
});

export const configMap = (name: string, data: Readonly<Record<string, string>>): KubernetesObject => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data },
});

export const literal = (name: string, value: string): object => ({ name, value });
export const fromSecret = (name: string, secret: string, key: string): object => ({
  ...{ name, valueFrom: { secretKeyRef: { name: secret, key } } },
});
export const fromField = (name: string, fieldPath: string): object => ({
  ...{ name, valueFrom: { fieldRef: { fieldPath } } },
});

/** Lines of a configuration that each of these servers has; small nodes that notice soon when another one is gone. */
export const serverLines = [
  ...['cluster-enabled yes', 'cluster-node-timeout 3000', 'protected-mode no'],
  ...['maxmemory 64mb', 'appendonly yes'],
];

/** A script that writes these lines, in which variables of the container count, and starts the server with them. */
export function startWith(program: string, folder: string, lines: readonly string[], words = ''): string {
  const all = [...serverLines, `dir ${folder}`, ...lines].join('\n');
  return `mkdir -p ${folder}\ncat >/tmp/server.conf <<LINES\n${all}\nLINES\nexec ${program} /tmp/server.conf ${words}\n`;
}
