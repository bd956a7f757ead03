import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { makeAuthority } from './authority.ts';

export interface CertifiedApi {
  readonly kubeconfig: string;
  /** The common name in the certificate of each request, empty where none was shown. */
  readonly shown: readonly string[];
  stop(): Promise<void>;
}

/**
 * An API server that knows one Secret's value and nothing else. Its own certificate names `api.test`, which the kubeconfig
 * gives as tls-server-name, and clients show one of the same authority, whose common name is `name`.
 */
export async function startCertifiedApi(host: string, name: string): Promise<CertifiedApi> {
  const authority = await makeAuthority(name);
  const { 'tls.key': key, 'tls.crt': cert, 'ca.crt': ca } = await authority.issue(['api.test']);
  const shown: string[] = [];
  const api = createServer(
    { key, cert, ca, requestCert: true, rejectUnauthorized: false },
    ({ socket }, response) => {
      const { subject } = socket instanceof TLSSocket ? socket.getPeerCertificate() : {};
      shown.push(String(subject?.CN ?? ''));
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ data: { key: Buffer.from('value').toString('base64') } }));
    },
  );
  await once(api.listen(0, host), 'listening');
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const cluster = {
    server: `https://${host}:${(api.address() as AddressInfo).port}`,
    'tls-server-name': 'api.test',
    'certificate-authority-data': base64(ca),
  };
  const user = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) };
  return {
    kubeconfig: JSON.stringify({
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'certified', context: { cluster: 'c', user: 'u' } }],
    }),
    shown,
    stop: async () => {
      api.closeAllConnections();
      api.close();
      await authority.dispose();
    },
  };
}
