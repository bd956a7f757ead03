import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A certificate authority of one cluster's own: PEM texts. */
export interface Authority {
  readonly certificate: string;
  /** The keys of the Secret redis-cluster-tls, with a new certificate for these names. */
  readonly issue: (
    names: readonly string[],
  ) => Promise<Readonly<Record<'ca.crt' | 'tls.crt' | 'tls.key', string>>>;
  readonly dispose: () => Promise<void>;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'];

/** Makes one with the commands that docs/guides/manifests.md names. */
export async function makeAuthority(name: string): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), 'authority-'));
  const file = (part: string): string => join(folder, part);
  const openssl = (args: readonly string[]) => promisify(execFile)('openssl', args);
  await openssl([
    'req',
    '-x509',
    ...newKey,
    '-subj',
    `/CN=${name}`,
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.crt'),
  ]);
  const certificate = await readFile(file('ca.crt'), 'utf8');
  return {
    certificate,
    issue: async (names) => {
      await openssl([
        ...[
          'req',
          '-x509',
          ...newKey,
          '-subj',
          `/CN=${name}`,
          '-CA',
          file('ca.crt'),
          '-CAkey',
          file('ca.key'),
        ],
        ...['-addext', `subjectAltName=${names.map((one) => `DNS:${one}`).join()}`],
        ...[
          '-addext',
          'extendedKeyUsage=serverAuth,clientAuth',
          '-addext',
          'basicConstraints=critical,CA:FALSE',
        ],
        ...['-keyout', file('tls.key'), '-out', file('tls.crt')],
      ]);
      const [crt, key] = await Promise.all([
        readFile(file('tls.crt'), 'utf8'),
        readFile(file('tls.key'), 'utf8'),
      ]);
      return { 'ca.crt': certificate, 'tls.crt': crt, 'tls.key': key };
    },
    dispose: () => rm(folder, { recursive: true }),
  };
}
