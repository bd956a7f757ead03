import type { TlsFiles } from '../kubernetes/signInSources.ts';
import type { Credentials } from '../redis/nodeConnection.ts';

/** What a client within a pod takes to sign in to the server there. */
export interface PodSignIn {
  readonly credentials: Credentials;
  readonly tlsFiles: TlsFiles;
}
