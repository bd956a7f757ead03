import { mkdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The Secret of the password, with which every pod starts. */
export interface PasswordSecret {
  readonly password: string;
  readonly previous?: string;
  /** Lines of users that servers start with. */
  readonly users?: string;
}

/** The files of the Secret for TLS, PEM texts by name. */
export type TlsSecret = Readonly<Record<'ca.crt' | 'tls.crt' | 'tls.key', string>>;

/** Writes a pod's mount of the Secret of the password; none where the pods have no password. */
export async function mountPassword(folder: string, secret: PasswordSecret | undefined): Promise<void> {
  const auth = join(folder, 'auth');
  await mkdir(auth, { recursive: true });
  const files = {
    password: secret?.password,
    'previous-password': secret?.previous,
    'operator-users': secret?.users,
  };
  for (const [name, text] of Object.entries(files)) {
    if (text === undefined) await rm(join(auth, name), { force: true });
    else await writeFile(join(auth, name), text, { mode: 0o440 });
  }
}

/** As a kubelet does it: a folder with a time in its name, and links that are turned to it. */
export async function mountCertificates(folder: string, tls: TlsSecret): Promise<void> {
  const mount = join(folder, 'tls');
  const version = `..2026_01_01_00_00_00.${String(process.hrtime.bigint())}`;
  await mkdir(join(mount, version), { recursive: true });
  for (const [name, text] of Object.entries(tls)) {
    await writeFile(join(mount, version, name), text, { mode: 0o440 });
    await symlink(join('..data', name), join(mount, name)).catch(() => undefined);
  }
  const before = await readlink(join(mount, '..data')).catch(() => undefined);
  await symlink(version, join(mount, '..data_tmp'));
  await rename(join(mount, '..data_tmp'), join(mount, '..data'));
  if (before !== undefined) await rm(join(mount, before), { recursive: true });
}
