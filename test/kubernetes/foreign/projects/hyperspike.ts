import { fromField, fromSecret, literal, secret, startWith, statefulSet, type Shape } from '../shape.ts';
import { shapeTls, type Certificates } from '../tls.ts';

/** Hyperspike's valkey-operator with TLS: one StatefulSet, called as its Valkey is, whose servers announce their host names. */
export function hyperspike(name: string, tls: Certificates): Shape {
  const password = 'p4ssword';
  const certs = '/etc/valkey/certs';
  const folder = '/bitnami/valkey/data';
  const sealed = shapeTls(tls, { secret: `${name}-tls`, volume: 'valkey-tls', folder: certs, clients: 'no' });
  const cli = `export VALKEYCLI_AUTH="$VALKEY_PASSWORD"; valkey-cli ${sealed.options}`;
  const labels = {
    ...{ 'app.kubernetes.io/name': 'valkey', 'app.kubernetes.io/instance': name },
    ...{ 'app.kubernetes.io/component': 'valkey', 'app.kubernetes.io/managed-by': 'valkey-operator' },
  };
  const lines = [
    ...['requirepass $VALKEY_PASSWORD', 'masterauth $VALKEY_PASSWORD', ...sealed.lines],
    ...['cluster-announce-hostname $POD_NAME.$SERVICE', 'cluster-preferred-endpoint-type hostname'],
  ];
  return {
    ...{ image: 'valkey8', name, workloads: [name], cli, keepsFiles: true },
    client: { password, ...sealed.client },
    foundIn: `password from Secret ${name}/password`,
    ...{ owner: `Valkey "${name}"`, operator: `Valkey "${name}"` },
    make: async (maker) => {
      const owner = await maker.custom('hyperspike.io/v1', 'Valkey', name);
      for (const object of [secret(name, { password }), ...sealed.objects]) await maker.create(object);
      const service = `${name}-headless.${maker.namespace}.svc.cluster.local`;
      const objects = statefulSet({
        ...{ name, owner, labels, replicas: 6, container: 'valkey', image: maker.image('valkey8') },
        ports: [
          { name: 'tcp-valkey', containerPort: 6379 },
          { name: 'tcp-valkey-bus', containerPort: 16_379 },
        ],
        env: [
          ...[fromField('POD_NAME', 'metadata.name'), literal('SERVICE', service)],
          literal('VALKEY_NODES', [0, 1, 2, 3, 4, 5].map((pod) => `${name}-${pod}.${service}`).join(' ')),
          ...[fromSecret('REDISCLI_AUTH', name, 'password'), fromSecret('VALKEY_PASSWORD', name, 'password')],
          literal('VALKEY_CLUSTER_PREFERRED_ENDPOINT_TYPE', 'hostname'),
          ...[literal('VALKEY_AOF_ENABLED', 'yes'), literal('VALKEY_TLS_ENABLED', 'yes')],
          ...[literal('VALKEY_PORT_NUMBER', '6379'), literal('VALKEY_TLS_AUTH_CLIENTS', 'no')],
          ...[literal('VALKEY_TLS_PORT_NUMBER', '6379'), literal('VALKEY_TLS_CERT_FILE', `${certs}/tls.crt`)],
          ...[
            literal('VALKEY_TLS_KEY_FILE', `${certs}/tls.key`),
            literal('VALKEY_TLS_CA_FILE', `${certs}/ca.crt`),
          ],
        ],
        mounts: sealed.mounts,
        volumes: sealed.volumes,
        claim: { name: 'valkey-data', mountPath: folder },
        run: startWith('valkey-server', folder, lines),
        ping: cli,
      });
      for (const object of objects) await maker.create(object);
    },
  };
}
