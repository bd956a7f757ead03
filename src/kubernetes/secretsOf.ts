import type { Container, PodSpec } from './apiObjects.ts';
import { environmentOf } from './environment.ts';
import type { Candidate, SecretKey } from './kubernetesAccess.ts';
import { fileAt, mountedObjects } from './mountedFiles.ts';
import { passwordSources } from './passwordSources.ts';
import { serverArguments } from './serverArguments.ts';
import type { SignInSources, TextSource } from './signInSources.ts';
import { tlsFiles, tlsSources, usualTlsSources } from './tlsSources.ts';

/** The file from which the scripts of the bundled manifests take the password. */
const ownPasswordFile = '/etc/redis-cluster-auth/password';
/** The authority of those that speak TLS. */
const ownAuthorityFile = '/etc/redis-cluster-tls/ca.crt';

type Secrets = Pick<Candidate, 'signIn' | 'passwordFrom' | 'passwordIsMounted' | 'tlsFrom'>;

/** All that a pod's spec says of signing in to the server in one of its containers. */
export function secretsOf(spec: PodSpec | undefined, container: Container): Secrets {
  const mounted = secretAt(fileAt(spec, container, ownPasswordFile));
  const authority = ownAuthority(spec, container);
  const signIn = signInSources(spec, container, mounted, authority);
  const passwordFrom = secretAt(signIn.passwords[0]?.password);
  return {
    signIn,
    ...(passwordFrom === undefined ? {} : { passwordFrom }),
    ...(mounted === undefined ? {} : { passwordIsMounted: true }),
    ...(authority === undefined ? {} : { tlsFrom: authority.secret }),
  };
}

function signInSources(
  spec: PodSpec | undefined,
  container: Container,
  mounted: SecretKey | undefined,
  authority: SecretKey | undefined,
): SignInSources {
  const env = environmentOf(container);
  const options = serverArguments(container, env);
  const { sure, ifRefused } = passwordSources(spec, container, env, options);
  const tls = authority === undefined ? tlsSources(spec, container, env, options) : { ca: authority };
  const usual = tls === undefined ? usualTlsSources(spec, container) : undefined;
  return {
    passwords: mounted === undefined ? sure : [{ password: mounted, isFile: true }, ...sure],
    ...(tls === undefined ? {} : { tls }),
    tlsFiles: tlsFiles(spec, container, env, options),
    ifRefused: {
      passwords: ifRefused,
      ...(usual === undefined ? {} : { tls: usual }),
      files: mounted === undefined ? mountedObjects(spec, container) : [],
    },
    fileAt: (path) => fileAt(spec, container, path),
  };
}

function ownAuthority(spec: PodSpec | undefined, container: Container): SecretKey | undefined {
  const isOn = container.env?.some(({ name, value }) => name === 'TLS' && value === 'yes') ?? false;
  return isOn ? secretAt(fileAt(spec, container, ownAuthorityFile)) : undefined;
}

function secretAt(source: TextSource | undefined): SecretKey | undefined {
  return source !== undefined && 'secret' in source ? source : undefined;
}
