import type { KubernetesObject } from '../../../src/kubernetes/kubernetesAccess.ts';

/** A cluster as another project deploys it: objects with its names, ports, variables and mounts, on the tests' own image. */
export interface ForeignShape {
  /** Of its StatefulSet and its pods. */
  readonly name: string;
  /** Of the container of the server. */
  readonly container: string;
  /** How redis-cli within the pod is called to reach the server. */
  readonly cli: string;
  readonly objects: readonly KubernetesObject[];
}

const image = 'redis:7.0.15';
/** Each shape has masters alone, which is enough to be found, read and signed in to. */
const pods = 3;

interface Parts {
  readonly env?: readonly object[];
  readonly envFrom?: readonly object[];
  readonly mounts?: readonly object[];
  readonly volumes?: readonly object[];
  readonly ports?: readonly object[];
  readonly beside?: readonly object[];
  /** What the image's entry point does with the variables. */
  readonly run: string;
}

function statefulSet(name: string, parts: Parts): readonly KubernetesObject[] {
  const labels = { 'app.kubernetes.io/instance': name, 'app.kubernetes.io/name': 'keys' };
  const server = {
    name,
    image,
    command: ['sh', '/scripts/run.sh'],
    env: parts.env ?? [],
    envFrom: parts.envFrom ?? [],
    ports: parts.ports ?? [{ containerPort: 6379 }],
    volumeMounts: [{ name: 'scripts', mountPath: '/scripts' }, ...(parts.mounts ?? [])],
  };
  const volumes = [{ name: 'scripts', configMap: { name: `${name}-scripts` } }, ...(parts.volumes ?? [])];
  return [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `${name}-scripts` },
      data: { 'run.sh': parts.run },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name, labels },
      spec: {
        serviceName: `${name}-headless`,
        replicas: pods,
        podManagementPolicy: 'Parallel',
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 0,
            containers: [server, ...(parts.beside ?? [])],
            volumes,
          },
        },
      },
    },
  ];
}

const secret = (name: string, stringData: Readonly<Record<string, string>>): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  stringData,
});

const chartPorts = [
  { name: 'tcp-redis', containerPort: 6379 },
  { name: 'tcp-redis-bus', containerPort: 16_379 },
];
/** The chart mounts its password at a path that ends in a slash. */
const passwordMount = { name: 'redis-password', mountPath: '/opt/bitnami/redis/secrets/' };
const passwordVolume = (name: string): object => ({
  name: 'redis-password',
  secret: { secretName: name, items: [{ key: 'redis-password', path: 'redis-password' }] },
});
const passwordEnv = [
  { name: 'REDIS_NODES', value: 'a b c' },
  { name: 'REDIS_PASSWORD_FILE', value: '/opt/bitnami/redis/secrets/redis-password' },
];
const cluster = 'cluster-enabled yes\\nprotected-mode no\\ndir /tmp\\n';
const withPassword = `printf '${cluster}requirepass %s\\nmasterauth %s\\n'`;
const passwordTwice = '"$(cat "$REDIS_PASSWORD_FILE")" "$(cat "$REDIS_PASSWORD_FILE")"';

/** The chart of Bitnami with its default values; the image of its exporter is still being pulled. */
export function chart(name: string, password: string): ForeignShape {
  const exporter = {
    name: 'metrics',
    image: 'never-pulled/redis-exporter:0',
    imagePullPolicy: 'Never',
    ports: [{ name: 'http-metrics', containerPort: 9121 }],
  };
  const parts: Parts = {
    env: passwordEnv,
    ports: chartPorts,
    mounts: [passwordMount],
    volumes: [passwordVolume(name)],
    beside: [exporter],
    run: `${withPassword} ${passwordTwice} >/tmp/redis.conf\nexec redis-server /tmp/redis.conf`,
  };
  return {
    ...{ name, container: name },
    cli: 'export REDISCLI_AUTH="$(cat "$REDIS_PASSWORD_FILE")"; exec redis-cli',
    objects: [secret(name, { 'redis-password': password }), ...statefulSet(name, parts)],
  };
}

/** The same chart with TLS, which then demands a certificate of every client. */
export function chartWithTls(
  name: string,
  password: string,
  certificates: Readonly<Record<string, string>>,
): ForeignShape {
  const folder = '/opt/bitnami/redis/certs';
  const files = [
    ['REDIS_TLS_CERT_FILE', 'tls.crt'],
    ['REDIS_TLS_KEY_FILE', 'tls.key'],
    ['REDIS_TLS_CA_FILE', 'ca.crt'],
  ].map(([variable, file]) => ({ name: variable, value: `${folder}/${file ?? ''}` }));
  const env = [
    ...passwordEnv,
    ...[
      { name: 'REDIS_TLS_ENABLED', value: 'yes' },
      { name: 'REDIS_TLS_PORT', value: '6379' },
      { name: 'REDIS_TLS_AUTH_CLIENTS', value: 'yes' },
    ],
    ...files,
  ];
  const tls = [
    `port 0\\ntls-port 6379\\ntls-auth-clients yes\\ntls-replication yes\\ntls-cluster yes`,
    `tls-cert-file ${folder}/tls.crt\\ntls-key-file ${folder}/tls.key\\ntls-ca-cert-file ${folder}/ca.crt`,
  ];
  const parts: Parts = {
    env,
    ports: chartPorts,
    mounts: [passwordMount, { name: 'redis-certificates', mountPath: folder, readOnly: true }],
    volumes: [passwordVolume(name), { name: 'redis-certificates', secret: { secretName: `${name}-crt` } }],
    run: `(${withPassword} ${passwordTwice}; printf '${tls.join('\\n')}\\n') >/tmp/redis.conf\nexec redis-server /tmp/redis.conf`,
  };
  const options =
    '--tls --cacert "$REDIS_TLS_CA_FILE" --cert "$REDIS_TLS_CERT_FILE" --key "$REDIS_TLS_KEY_FILE"';
  return {
    ...{ name, container: name },
    cli: `export REDISCLI_AUTH="$(cat "$REDIS_PASSWORD_FILE")"; exec redis-cli ${options}`,
    objects: [
      secret(name, { 'redis-password': password }),
      secret(`${name}-crt`, certificates),
      ...statefulSet(name, parts),
    ],
  };
}

/** As tutorials do it: everything is in a redis.conf, and nothing else says what it is. */
export function tutorial(name: string, password: string): ForeignShape {
  const conf = `cluster-enabled yes\nprotected-mode no\ndir /tmp\nmasterauth "${password}"\nrequirepass "${password}"\n`;
  const parts: Parts = {
    mounts: [{ name: 'conf', mountPath: '/usr/local/etc/redis' }],
    volumes: [{ name: 'conf', configMap: { name } }],
    run: 'cp /usr/local/etc/redis/redis.conf /tmp/redis.conf\nexec redis-server /tmp/redis.conf',
  };
  return {
    ...{ name, container: name },
    cli: `export REDISCLI_AUTH="$(sed -n 's/^requirepass "\\(.*\\)"/\\1/p' /tmp/redis.conf)"; exec redis-cli`,
    objects: [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { 'redis.conf': conf } },
      ...statefulSet(name, parts),
    ],
  };
}
