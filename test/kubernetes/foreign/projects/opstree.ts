import type { KubernetesObject } from '../../../../src/kubernetes/kubernetesAccess.ts';
import { fromSecret, literal, secret, startWith, statefulSet, type Shape } from '../shape.ts';
import { shapeTls, type Certificates } from '../tls.ts';

interface Opstree {
  /** The leaders', and the followers' where these are upgraded first. */
  readonly image: Shape['image'];
  readonly replicaImage?: Shape['image'];
  readonly name: string;
  readonly tls?: Certificates;
  /** The password of a user `admin`, with all rights, beside a `default` that is off. */
  readonly acl?: string;
  readonly nodeConfVolume: boolean;
}

/** OT's redis-operator: a StatefulSet for the leaders and one for the followers, owned by a RedisCluster. */
export function opstree({ image, replicaImage, name, tls, acl, nodeConfVolume }: Opstree): Shape {
  const sealed = shapeTls(tls, {
    secret: 'redis-tls',
    volume: 'tls-certs',
    folder: '/tls',
    clients: 'optional',
  });
  const signIn = acl === undefined ? byPassword('p4ss word $HOME') : byUser(acl);
  const cli = `${signIn.cli} ${sealed.options}`;
  const env = [
    ...[literal('SERVER_MODE', 'cluster'), literal('SETUP_MODE', 'cluster'), literal('REDIS_PORT', '6379')],
    ...[literal('REDIS_MAJOR_VERSION', 'v7'), literal('PERSISTENCE_ENABLED', 'true'), ...signIn.env],
    ...(tls === undefined ? [] : tlsEnv),
  ];
  const lines = [
    ...[...signIn.lines, ...sealed.lines],
    ...(nodeConfVolume ? ['cluster-config-file /node-conf/nodes.conf'] : []),
  ];
  const followers = replicaImage ?? image;
  return {
    ...{ image, replicaImage: followers, name, cli, keepsFiles: true },
    workloads: [`${name}-leader`, `${name}-follower`],
    client: { ...signIn.client, ...sealed.client },
    foundIn: signIn.foundIn,
    ...{ owner: `RedisCluster "${name}"`, operator: `RedisCluster "${name}"` },
    make: async (maker) => {
      const owner = await maker.custom('redis.redis.opstreelabs.in/v1beta2', 'RedisCluster', name);
      for (const object of [signIn.secret, ...sealed.objects]) await maker.create(object);
      for (const role of ['leader', 'follower']) {
        const own = `${name}-${role}`;
        const objects = statefulSet({
          ...{ name: own, owner, replicas: 3, container: own, env },
          image: maker.image(role === 'leader' ? image : followers),
          labels: { app: own, redis_setup_type: 'cluster', role },
          annotations: { 'redis.opstreelabs.in': 'true', 'redis.opstreelabs.instance': name },
          ports: [{ name: 'redis-client', containerPort: 6379 }],
          mounts: [...sealed.mounts, ...signIn.mounts],
          volumes: [...sealed.volumes, ...signIn.volumes],
          claim: nodeConfVolume
            ? { name: 'node-conf', mountPath: '/node-conf' }
            : { name: own, mountPath: '/data' },
          run: startWith('redis-server', '/data', lines),
          ping: cli,
        });
        for (const object of objects) await maker.create(object);
      }
    },
  };
}

const tlsEnv = [
  ...[literal('TLS_MODE', 'true'), literal('REDIS_TLS_CA_CERT', '/tls/ca.crt')],
  ...[literal('REDIS_TLS_CERT', '/tls/tls.crt'), literal('REDIS_TLS_CERT_KEY', '/tls/tls.key')],
];

interface SignIn {
  readonly client: Shape['client'];
  readonly secret: KubernetesObject;
  readonly foundIn: string;
  readonly cli: string;
  readonly env: readonly object[];
  readonly lines: readonly string[];
  readonly mounts: readonly object[];
  readonly volumes: readonly object[];
}

function byPassword(password: string): SignIn {
  return {
    ...{ client: { password }, secret: secret('redis-secret', { password }), mounts: [], volumes: [] },
    foundIn: 'password from Secret redis-secret/password',
    cli: 'export REDISCLI_AUTH="$REDIS_PASSWORD"; redis-cli',
    env: [fromSecret('REDIS_PASSWORD', 'redis-secret', 'password')],
    lines: ['requirepass "$REDIS_PASSWORD"', 'masterauth "$REDIS_PASSWORD"'],
  };
}

function byUser(password: string): SignIn {
  const users = `user default off\nuser admin on >${password} ~* &* +@all\n`;
  return {
    client: { username: 'admin', password },
    secret: secret('acl-secret', { 'user.acl': users }),
    foundIn: 'user admin, password from user in Secret acl-secret/user.acl',
    cli: `export REDISCLI_AUTH='${password}'; redis-cli --user admin`,
    env: [literal('ACL_MODE', 'true')],
    lines: ['aclfile /etc/redis/user.acl', 'masteruser admin', `masterauth ${password}`],
    mounts: [{ name: 'acl-secret', mountPath: '/etc/redis/user.acl', subPath: 'user.acl' }],
    volumes: [{ name: 'acl-secret', secret: { secretName: 'acl-secret' } }],
  };
}
