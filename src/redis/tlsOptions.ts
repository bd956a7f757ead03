import { isIP } from 'node:net';
import { checkServerIdentity, getCACertificates, type ConnectionOptions } from 'node:tls';
import { UserError } from '../model/errors.ts';
import { serverText } from '../model/serverText.ts';
import type { Endpoint, TlsTrust } from './nodeConnection.ts';

/**
 * What a TLS connection to an endpoint checks and shows. A server that was dialled by its host name has to bear that name
 * unless another is given; an empty one turns the check off. Through a forward and by IP address, whoever the authority
 * has signed is one of the cluster, as the servers judge each other.
 */
export function tlsOptions(endpoint: Endpoint, { ca, cert, key, serverName }: TlsTrust): ConnectionOptions {
  const dialled = 'host' in endpoint && isIP(endpoint.host) === 0 ? endpoint.host : '';
  const name = serverName ?? dialled;
  return {
    ca: ca ?? systemAuthorities(),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(name === '' || isIP(name) !== 0 ? {} : { servername: name }),
    rejectUnauthorized: true,
    checkServerIdentity: (_, certificate) =>
      name === '' ? undefined : checkServerIdentity(name, certificate),
  };
}

/** Those that Node.js brings, and those that the operating system trusts beside them. */
function systemAuthorities(): string[] {
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
}

const certificateProblem =
  /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ERR_TLS|ERR_SSL|ERR_OSSL|EPROTO/;

export function withoutTls(name: string, cause: unknown): UserError {
  return new UserError('tls', `Redis at ${name} does not use TLS on this port.`, { cause });
}

/** The UserError that a failure of TLS is; undefined where the error is another. */
export function tlsError(name: string, error: unknown): UserError | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const code = String(error.code);
  if (!certificateProblem.test(code)) return undefined;
  const message = serverText(plainWords(error.message));
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG')
    return withoutTls(name, error);
  if (code.startsWith('ERR_OSSL'))
    return new UserError(
      'tls',
      `The certificates or the key for Redis at ${name} cannot be used: ${message}`,
    );
  if (/ALERT_CERTIFICATE_REQUIRED|ALERT_HANDSHAKE_FAILURE/.test(code))
    return new UserError('tls', `Redis at ${name} requires a client certificate.`);
  if (code.includes('ALERT'))
    return new UserError('tls', `Redis at ${name} rejected the client certificate: ${message}`);
  return new UserError('tls', `The TLS certificate of Redis at ${name} was rejected: ${message}`);
}

/** Without what OpenSSL puts around it: `…:SSL routines:…:tlsv1 alert unknown ca:…` and `error:…::key values mismatch`. */
function plainWords(message: string): string {
  const [line = ''] = message.split('\n');
  return /\balert ([a-z ]+)/.exec(line)?.[1] ?? /^error:[^:]*:.*::(.+)$/.exec(line)?.[1] ?? line;
}
