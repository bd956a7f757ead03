import type { Container, PodSpec } from './apiObjects.ts';
import type { Environment } from './environment.ts';
import { certificateFolders, fileAt } from './mountedFiles.ts';
import type { ServerArguments } from './serverArguments.ts';
import type { TextSource, TlsFiles, TlsSources } from './signInSources.ts';

const products = ['REDIS', 'VALKEY', 'KEYDB'];
const switches = [
  ...products.flatMap((name) => [`${name}_TLS_ENABLED`, `${name}_TLS`]),
  'TLS_MODE',
  'TLS_ENABLED',
];

interface TlsFile {
  readonly part: keyof TlsSources;
  readonly option: string;
  /** What follows `REDIS_TLS_` in a variable that holds the file's path. */
  readonly variables: readonly string[];
  /** What cert-manager and most charts call it within the Secret. */
  readonly key: string;
}

const files: readonly TlsFile[] = [
  {
    part: 'ca',
    option: 'tls-ca-cert-file',
    variables: ['CA_FILE', 'CA_CERT_FILE', 'CA_CERT'],
    key: 'ca.crt',
  },
  { part: 'cert', option: 'tls-cert-file', variables: ['CERT_FILE', 'CERT'], key: 'tls.crt' },
  {
    part: 'key',
    option: 'tls-key-file',
    variables: ['KEY_FILE', 'CERT_KEY_FILE', 'CERT_KEY', 'KEY'],
    key: 'tls.key',
  },
];

/** What a container's arguments and variables say of TLS; undefined where they do not say that its server speaks it. */
export function tlsSources(
  spec: PodSpec | undefined,
  container: Container,
  env: Environment,
  options: ServerArguments,
): TlsSources | undefined {
  if (!switches.some((name) => isYes(env.text(name))) && !speaksOnlyTls(options)) return undefined;
  const found = (file: TlsFile): TextSource | undefined =>
    pathsOf(file, spec, container, env, options)
      .map((path) => fileAt(spec, container, path))
      .find((source) => source !== undefined);
  return sourcesOf(found, asksForCertificates(env, options));
}

/** Where a client within the container finds what it needs for TLS: also what no Secret has, such as a driver's volume. */
export function tlsFiles(
  spec: PodSpec | undefined,
  container: Container,
  env: Environment,
  options: ServerArguments,
): TlsFiles {
  return Object.fromEntries(
    files.flatMap((file) => {
      const [path] = pathsOf(file, spec, container, env, options);
      return path === undefined ? [] : [[file.part, path]];
    }),
  );
}

/** Paths that a file may have, the surest first. */
function pathsOf(
  { option, variables, key }: TlsFile,
  spec: PodSpec | undefined,
  container: Container,
  env: Environment,
  options: ServerArguments,
): readonly string[] {
  const written = [
    options.text(option),
    ...products.flatMap((name) => variables.map((variable) => env.text(`${name}_TLS_${variable}`))),
  ].filter((path) => path !== undefined);
  return [...written, ...certificateFolders(spec, container).map((folder) => `${folder}/${key}`)];
}

/** What is mounted where certificates usually are, for a server of which nothing says that it speaks TLS. */
export function usualTlsSources(spec: PodSpec | undefined, container: Container): TlsSources | undefined {
  const [folder] = certificateFolders(spec, container);
  if (folder === undefined) return undefined;
  return sourcesOf(({ key }) => fileAt(spec, container, `${folder}/${key}`), true);
}

/** A private key is read only where a server may ask for a certificate. */
function sourcesOf(find: (file: TlsFile) => TextSource | undefined, withCertificate: boolean): TlsSources {
  const wanted = files.filter(({ part }) => part === 'ca' || withCertificate);
  return Object.fromEntries(
    wanted.flatMap((file) => {
      const source = find(file);
      return source === undefined ? [] : [[file.part, source]];
    }),
  );
}

function asksForCertificates(env: Environment, options: ServerArguments): boolean {
  const written = [
    options.text('tls-auth-clients'),
    ...products.map((name) => env.text(`${name}_TLS_AUTH_CLIENTS`)),
  ].find((text) => text !== undefined);
  return written === undefined || !/^(?:no|false|optional)$/i.test(written);
}

/** A server with a plain port beside the one for TLS is spoken to in plain text. */
function speaksOnlyTls(options: ServerArguments): boolean {
  const tlsPort = Number(options.text('tls-port') ?? 0);
  const plainPort = options.text('port');
  return tlsPort > 0 && plainPort !== undefined && [0, tlsPort].includes(Number(plainPort));
}

function isYes(text: string | undefined): boolean {
  return text !== undefined && /^(?:yes|true|on|1)$/i.test(text);
}
