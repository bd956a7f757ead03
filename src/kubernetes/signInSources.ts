import type { ConfigMapKey, SecretKey } from './kubernetesAccess.ts';

/**
 * A text that stands in the pod's spec itself, such as a variable's `value:`. It is behind a function, which neither
 * JSON nor a log prints, so that a password stays out of snapshots, states and messages without anybody thinking of it.
 */
interface SpecText {
  /** Where it stands, as people read it: `variable REDIS_PASSWORD`. */
  readonly place: string;
  readonly text: () => string;
}

/** Where a text is that has to be known to sign in; only its reader ever holds the text. */
export type TextSource = SecretKey | ConfigMapKey | SpecText;

export interface PasswordSource {
  readonly password: TextSource;
  /** The ACL user whose password it is; the default user where absent. */
  readonly username?: TextSource;
  /** Read from a file by a script, which drops the line break at its end; in a variable that is part of the password. */
  readonly isFile?: true;
}

/** Whom a server's certificate was signed by, and what clients show where they are asked for a certificate. */
export interface TlsSources {
  readonly ca?: TextSource;
  readonly cert?: TextSource;
  readonly key?: TextSource;
}

/** Paths of the same in the server's container. */
export type TlsFiles = Readonly<Partial<Record<keyof TlsSources, string>>>;

/** A ConfigMap or Secret that the pod mounts and that may hold a server's configuration. */
export interface MountedObject {
  readonly kind: 'configmaps' | 'secrets';
  readonly name: string;
  /** The keys that are mounted, where the pod's spec says which. */
  readonly keys?: readonly string[];
}

/** What a pod's spec says of signing in to its server. */
export interface SignInSources {
  /** What the server itself is given: the first that holds a text counts. */
  readonly passwords: readonly PasswordSource[];
  /** Present where the spec says that the server speaks TLS. */
  readonly tls?: TlsSources;
  /** What a client within the container takes for TLS, where the server speaks it. */
  readonly tlsFiles: TlsFiles;
  /** What is read only after the server has refused a client that shows nothing. */
  readonly ifRefused: IfRefused;
  /** What the container sees at a path; configuration files name certificates by path. */
  readonly fileAt: (path: string) => TextSource | undefined;
}

interface IfRefused {
  readonly passwords: readonly PasswordSource[];
  readonly tls?: TlsSources;
  readonly files: readonly MountedObject[];
}
