import { createHash } from 'node:crypto';
import {
  configMap,
  deployment,
  fromField,
  fromSecret,
  literal,
  secret,
  serverLines,
  statefulSet,
  type Shape,
} from '../shape.ts';
import { shapeTls, type Certificates } from '../tls.ts';

interface Variant {
  /** The first nodes', and the others' where these are upgraded first. */
  readonly image: Shape['image'];
  readonly replicaImage?: Shape['image'];
  readonly name: string;
  readonly tls?: Certificates;
  /** The password of a user `admin`; without it `default` may do everything and has none. */
  readonly admin?: string;
  /** A StatefulSet for each node with a volume instead of a Deployment. */
  readonly persistence: boolean;
}

/** What the operator's own user may do, as far as the servers know the commands. */
const systemRights = (image: Shape['image']): string =>
  [
    ...['+@connection', '+cluster|myid', '+cluster|myshardid', '+cluster|info', '+cluster|nodes'],
    ...['+cluster|meet', '+cluster|addslotsrange', '+cluster|replicate', '+cluster|forget'],
    ...['+cluster|failover', '+cluster|set-config-epoch', '+config|set', '+info'],
    ...(image === 'valkeyNewest' ? ['+cluster|getslotmigrations', '+cluster|migrateslots'] : []),
  ].join(' ');
const operatorsPassword = (name: string): string =>
  `user _operator, password from Secret internal-${name}-system-passwords/_operator`;
const hashed = (password: string): string => createHash('sha256').update(password).digest('hex');

/** The operator of the Valkey project: a ValkeyNode for each node below a ValkeyCluster, and one workload below each of these. */
export function valkeyOperator({ image, replicaImage, name, tls, admin, persistence }: Variant): Shape {
  const nodes = [0, 1].flatMap((node) => [0, 1, 2].map((shard) => `${name}-${shard}-${node}`));
  const system = 'oper4tor';
  const users = [
    ...(admin === undefined ? [] : [`user default off`, `user admin on #${hashed(admin)} ~* &* +@all`]),
    `user _operator on #${hashed(system)} ${systemRights(image)}`,
    `user _replication on #${hashed('repl')} +psync +replconf +ping`,
  ].join('\n');
  const sealed = shapeTls(tls, {
    secret: `${name}-tls`,
    volume: 'tls-certs',
    folder: '/tls',
    clients: 'optional',
  });
  const conf = [
    ...serverLines,
    ...['aclfile /config/users/users.acl', 'dir /data', 'cluster-config-file /data/nodes.conf'],
    ...sealed.lines,
  ].join('\n');
  const auth =
    admin === undefined ? 'unset VALKEYCLI_AUTH' : `export VALKEYCLI_AUTH=${admin} REDISCLI_AUTH=${admin}`;
  const user = admin === undefined ? '' : '--user admin';
  const cli = `${auth}; valkey-cli ${user} ${sealed.options}`;
  return {
    ...{ image, name, cli },
    ...(replicaImage === undefined ? {} : { replicaImage }),
    workloads: nodes.map((node) => `valkey-${node}`),
    keepsFiles: persistence,
    references: persistence ? nodes.map((node) => `valkey-${node}`) : [`valkey-${name}`],
    ...(admin === undefined
      ? {}
      : { foundIn: operatorsPassword(name), signIn: { username: 'admin', password: admin } }),
    client: {
      ...(admin === undefined ? {} : { username: 'admin', password: admin }),
      ...sealed.client,
    },
    ...{ owner: `ValkeyCluster "${name}"`, operator: `ValkeyCluster "${name}"` },
    make: async (maker) => {
      const cluster = await maker.custom('valkey.io/v1alpha1', 'ValkeyCluster', name);
      const passwords = { _operator: system, _exporter: 'exp0rter', _replication: 'repl' };
      await maker.create(secret(`internal-${name}-system-passwords`, passwords));
      await maker.create(secret(`internal-${name}-acl`, { 'users.acl': `${users}\n` }));
      await maker.create(configMap(`valkey-${name}`, { 'valkey.conf': `${conf}\n` }));
      for (const object of sealed.objects) await maker.create(object);
      for (const node of nodes) {
        const owner = await maker.custom('valkey.io/v1alpha1', 'ValkeyNode', node, cluster);
        const [shard = '', index = ''] = node.slice(name.length + 1).split('-');
        const pods = {
          ...{
            name: `valkey-${node}`,
            owner,
            replicas: 1,
            container: 'server',
            image: maker.image(index === '0' ? image : (replicaImage ?? image)),
          },
          labels: {
            ...{ 'app.kubernetes.io/name': 'valkey', 'app.kubernetes.io/instance': node },
            ...{ 'app.kubernetes.io/component': 'valkey-node', 'app.kubernetes.io/part-of': 'valkey' },
            ...{ 'app.kubernetes.io/managed-by': 'valkey-operator', 'valkey.io/cluster': name },
            ...{ 'valkey.io/shard-index': shard, 'valkey.io/node-index': index },
          },
          ports: [
            { name: 'client', containerPort: 6379 },
            { name: 'cluster-bus', containerPort: 16_379 },
          ],
          env: [
            fromField('POD_IP', 'status.podIP'),
            fromSecret('PRIMARY_AUTH', `internal-${name}-system-passwords`, '_replication'),
            ...(tls === undefined
              ? []
              : [
                  ...[literal('VALKEY_TLS_ENABLED', 'true'), literal('VALKEY_TLS_CA_FILE', '/tls/ca.crt')],
                  ...[
                    literal('VALKEY_TLS_CERT_FILE', '/tls/tls.crt'),
                    literal('VALKEY_TLS_KEY_FILE', '/tls/tls.key'),
                  ],
                  literal('VALKEY_TLS_ARGS', '--tls --cacert /tls/ca.crt'),
                ]),
            literal('VALKEY_USER', '_operator'),
            fromSecret('VALKEYCLI_AUTH', `internal-${name}-system-passwords`, '_operator'),
          ],
          mounts: [
            { name: 'valkey-conf', mountPath: '/config', readOnly: true },
            { name: 'users-acl', mountPath: '/config/users', readOnly: true },
            ...(persistence ? [] : [{ name: 'data', mountPath: '/data' }]),
            ...sealed.mounts,
          ],
          volumes: [
            { name: 'valkey-conf', configMap: { name: `valkey-${name}` } },
            { name: 'users-acl', secret: { secretName: `internal-${name}-acl` } },
            ...(persistence ? [] : [{ name: 'data', emptyDir: {} }]),
            ...sealed.volumes,
          ],
          beside: [
            {
              ...{ name: 'metrics-exporter', image: maker.image('exporter') },
              args: ['--redis.addr', 'redis://127.0.0.1:6379'],
              env: [literal('REDIS_USER', '_exporter')],
              ports: [{ name: 'metrics', containerPort: 9121 }],
            },
          ],
          run: 'exec valkey-server /config/valkey.conf --cluster-announce-ip "$POD_IP" --primaryuser _replication --primaryauth "$PRIMARY_AUTH"\n',
          ping: cli,
        };
        const objects = persistence
          ? statefulSet({ ...pods, claim: { name: 'data', mountPath: '/data' } })
          : deployment(pods);
        for (const object of objects) await maker.create(object);
      }
    },
  };
}
