import { fromField, fromSecret, literal, secret, startWith, statefulSet, type Shape } from '../shape.ts';
import { shapeTls, type Certificates } from '../tls.ts';

interface Chart {
  readonly product: 'redis' | 'valkey';
  readonly image: Shape['image'];
  /** What the StatefulSet and the container are called: a release may be called as it likes. */
  readonly name?: string;
  /** Six where absent: masters and their replicas, each with a volume. */
  readonly mastersAlone?: boolean;
  /** Of the exporter beside the server. */
  readonly exporter?: string;
  /** Whether the password is mounted as a file, which is the default. */
  readonly isFile?: boolean;
  readonly tls?: Certificates;
}

/** The charts of Bitnami: one StatefulSet; release, chart and Secret are called alike, and the ports after Redis in both. */
export function chart({ product, image, isFile = true, tls, ...own }: Chart): Shape {
  const upper = product.toUpperCase();
  const home = `/opt/bitnami/${product}`;
  const { name = `cache-${product}-cluster`, mastersAlone = false } = own;
  const replicas = mastersAlone ? 3 : 6;
  const key = `${product}-password`;
  const password = 'p4ssword';
  const certs = `${home}/certs`;
  const volume = `${product}-certificates`;
  const sealed = shapeTls(tls, { secret: `${name}-crt`, volume, folder: certs, clients: 'yes' });
  const labels = {
    ...{ 'app.kubernetes.io/name': `${product}-cluster`, 'app.kubernetes.io/instance': 'cache' },
    'app.kubernetes.io/managed-by': 'Helm',
  };
  const passwordEnv = isFile
    ? literal(`${upper}_PASSWORD_FILE`, `${home}/secrets/${key}`)
    : fromSecret(`${upper}_PASSWORD`, name, key);
  const tlsEnv = [
    ...[literal(`${upper}_TLS_PORT_NUMBER`, '6379'), literal(`${upper}_TLS_AUTH_CLIENTS`, 'yes')],
    ...[
      literal(`${upper}_TLS_CERT_FILE`, `${certs}/tls.crt`),
      literal(`${upper}_TLS_KEY_FILE`, `${certs}/tls.key`),
    ],
    literal(`${upper}_TLS_CA_FILE`, `${certs}/ca.crt`),
  ];
  const text = isFile ? `$(cat "$${upper}_PASSWORD_FILE")` : `$${upper}_PASSWORD`;
  const cli = `export REDISCLI_AUTH="${text}"; ${product}-cli ${sealed.options}`;
  return {
    ...{ image, name, workloads: [name], cli, keepsFiles: !mastersAlone },
    client: { password, ...sealed.client },
    foundIn: `password from Secret ${name}/${key}`,
    owner: 'the Helm release "cache"',
    make: async (maker) => {
      for (const object of [secret(name, { [key]: password }), ...sealed.objects]) await maker.create(object);
      const exporter = {
        ...{
          name: 'metrics',
          image: own.exporter ?? maker.image('exporter'),
          imagePullPolicy: 'IfNotPresent',
          args: ['--redis.addr', 'redis://127.0.0.1:6379'],
        },
        ports: [{ name: 'http-metrics', containerPort: 9121 }],
      };
      const secrets = { name: `${product}-password`, mountPath: `${home}/secrets/` };
      const items = [{ key, path: key }];
      const objects = statefulSet({
        ...{
          name,
          labels,
          replicas,
          container: name,
          image: maker.image(image),
        },
        annotations: {
          'meta.helm.sh/release-name': 'cache',
          'meta.helm.sh/release-namespace': maker.namespace,
        },
        ports: [
          { name: 'tcp-redis', containerPort: 6379 },
          { name: 'tcp-redis-bus', containerPort: 16_379 },
        ],
        env: [
          fromField('POD_NAME', 'metadata.name'),
          literal(
            `${upper}_NODES`,
            Array.from({ length: replicas }, (_, pod) => `${name}-${pod}.${name}-headless`).join(' '),
          ),
          ...(isFile && product === 'redis' ? [] : [fromSecret('REDISCLI_AUTH', name, key)]),
          ...[passwordEnv, literal(`${upper}_AOF_ENABLED`, 'yes')],
          literal(`${upper}_TLS_ENABLED`, tls === undefined ? 'no' : 'yes'),
          ...(tls === undefined ? [literal(`${upper}_PORT_NUMBER`, '6379')] : tlsEnv),
        ],
        mounts: [...(isFile ? [secrets] : []), ...sealed.mounts],
        volumes: [
          ...(isFile ? [{ name: secrets.name, secret: { secretName: name, items } }] : []),
          ...sealed.volumes,
        ],
        beside: tls === undefined ? [exporter] : [],
        ...(mastersAlone
          ? {}
          : { claim: { name: `${product}-data`, mountPath: `/bitnami/${product}/data` } }),
        run: startWith(`${product}-server`, `/bitnami/${product}/data`, [
          ...[`requirepass ${text}`, `masterauth ${text}`],
          ...sealed.lines,
        ]),
        ping: cli,
      });
      for (const object of objects) await maker.create(object);
    },
  };
}
