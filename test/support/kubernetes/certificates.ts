import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contextName, gateway, kubeconfigFile, ports, runFolder, workers } from './layout.ts';
import { run } from './run.ts';

/** The files that let the cluster's parts and its users know each other. */
export interface Credentials {
  /** Signed both certificates below; in the kubeconfig, so that connections are verified. */
  readonly ca: string;
  /** One certificate for every server and for the clients among them, with its key. */
  readonly certificate: string;
  readonly key: string;
  readonly serviceAccountKey: string;
  readonly tokens: string;
}

/** Makes keys, certificates and an administrator's token for one run, and the kubeconfig that holds them. */
export async function makeCredentials(): Promise<Credentials> {
  const folder = join(runFolder, 'pki');
  await mkdir(folder, { mode: 0o700 });
  const file = (name: string): string => join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'];
  const subject = ['-subj', `/CN=${contextName}`];
  await run('openssl', [
    ...['req', '-x509', ...newKey, '-subj', `/CN=${contextName}-ca`],
    ...['-keyout', file('ca.key'), '-out', file('ca.crt')],
  ]);
  const addresses = ['127.0.0.1', '10.214.0.1', gateway, ...workers.map(({ address }) => address)];
  const names = [
    'localhost',
    'kubernetes.default',
    'kubernetes.default.svc',
    ...workers.map(({ name }) => name),
  ];
  const san = [...addresses.map((address) => `IP:${address}`), ...names.map((name) => `DNS:${name}`)].join(
    ',',
  );
  await run('openssl', [
    ...['req', '-x509', ...newKey, ...subject, '-CA', file('ca.crt'), '-CAkey', file('ca.key')],
    ...['-addext', `subjectAltName=${san}`, '-addext', 'extendedKeyUsage=serverAuth,clientAuth'],
    ...['-addext', 'basicConstraints=critical,CA:FALSE'],
    ...['-keyout', file('cluster.key'), '-out', file('cluster.crt')],
  ]);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(file('service-accounts.key'), privateKey.export({ type: 'sec1', format: 'pem' }), {
    mode: 0o600,
  });
  const token = randomBytes(24).toString('base64url');
  await writeFile(file('tokens.csv'), `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });
  await writeKubeconfig(await readFile(file('ca.crt')), token);
  return {
    ca: file('ca.crt'),
    certificate: file('cluster.crt'),
    key: file('cluster.key'),
    serviceAccountKey: file('service-accounts.key'),
    tokens: file('tokens.csv'),
  };
}

async function writeKubeconfig(ca: Buffer, token: string): Promise<void> {
  const server = `https://${gateway}:${ports.apiserver}`;
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: contextName, cluster: { server, 'certificate-authority-data': ca.toString('base64') } },
    ],
    users: [{ name: contextName, user: { token } }],
    contexts: [{ name: contextName, context: { cluster: contextName, user: contextName } }],
    'current-context': contextName,
  };
  // JSON is YAML.
  await writeFile(kubeconfigFile, JSON.stringify(kubeconfig, undefined, 2), { mode: 0o600 });
}
