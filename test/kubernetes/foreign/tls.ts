import type { KubernetesObject } from '../../../src/kubernetes/kubernetesAccess.ts';
import type { TlsTrust } from '../../../src/redis/nodeConnection.ts';
import type { Authority } from '../../support/authority.ts';
import { secret } from './shape.ts';

export type Certificates = Awaited<ReturnType<Authority['issue']>>;

/** What becomes of a shape whose servers speak TLS only; all of it is empty where they do not. */
export interface ShapeTls {
  readonly objects: readonly KubernetesObject[];
  readonly mounts: readonly object[];
  readonly volumes: readonly object[];
  /** Of the servers' configuration. */
  readonly lines: readonly string[];
  /** Of redis-cli. */
  readonly options: string;
  readonly client: { readonly tls?: TlsTrust };
}

interface Place {
  readonly secret: string;
  readonly volume: string;
  readonly folder: string;
  /** Whether clients have to show a certificate. */
  readonly clients: 'yes' | 'no' | 'optional';
}

export function shapeTls(certificates: Certificates | undefined, place: Place): ShapeTls {
  if (certificates === undefined)
    return { objects: [], mounts: [], volumes: [], lines: [], options: '', client: {} };
  const { secret: secretName, volume, folder, clients } = place;
  const { 'ca.crt': ca, 'tls.crt': cert, 'tls.key': key } = certificates;
  const own = ` --cert ${folder}/tls.crt --key ${folder}/tls.key`;
  return {
    objects: [secret(secretName, certificates)],
    mounts: [{ name: volume, mountPath: folder, readOnly: true }],
    volumes: [{ name: volume, secret: { secretName } }],
    lines: [
      ...['port 0', 'tls-port 6379', 'tls-replication yes', 'tls-cluster yes', `tls-auth-clients ${clients}`],
      ...[`tls-cert-file ${folder}/tls.crt`, `tls-key-file ${folder}/tls.key`],
      `tls-ca-cert-file ${folder}/ca.crt`,
    ],
    options: `--tls --cacert ${folder}/ca.crt${clients === 'yes' ? own : ''}`,
    client: { tls: clients === 'yes' ? { ca, cert, key } : { ca } },
  };
}
