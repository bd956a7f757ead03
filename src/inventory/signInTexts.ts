import type {
  MountedObject,
  PasswordSource,
  SignInSources,
  TextSource,
  TlsSources,
} from '../kubernetes/signInSources.ts';
import { isConfigurationKey } from '../model/configurationKey.ts';
import type { Credentials, TlsTrust } from '../redis/nodeConnection.ts';
import { readConfiguration, type ServerConfiguration, type TlsPaths } from './serverConfiguration.ts';
import { passwordText, placeOf } from './signInText.ts';

/** What a server can demand that a client has not shown. */
export type Demanded = 'password' | 'tls';
export type Demands = ReadonlySet<Demanded>;

type ReadObject = (
  kind: MountedObject['kind'],
  name: string,
) => Promise<ReadonlyMap<string, string> | undefined>;

type Password = Pick<Credentials, 'username' | 'password' | 'foundIn'>;

/** A mounted configuration, and the place that it is in. */
interface ConfigurationFile extends ServerConfiguration {
  readonly source: TextSource;
}

/** The texts behind the sources of one pod's spec, read as they are needed. */
export class SignInTexts {
  readonly #signIn: SignInSources;
  readonly #read: ReadObject;

  constructor(signIn: SignInSources, read: ReadObject) {
    this.#signIn = signIn;
    this.#read = read;
  }

  /** What the server itself is given, as its pod's spec says. */
  async sure(): Promise<Credentials> {
    const { passwords, tls } = this.#signIn;
    const [password, trust] = await Promise.all([
      this.#password(passwords),
      tls === undefined ? undefined : this.#trust(tls),
    ]);
    return { ...password, ...(trust === undefined ? {} : { tls: trust }) };
  }

  /** With what a server has demanded beyond it, as far as it is found. */
  async completed(sure: Credentials, demands: Demands): Promise<Credentials> {
    const lacksPassword = sure.password === undefined && demands.has('password');
    const lacksTls = sure.tls === undefined && demands.has('tls');
    return {
      ...sure,
      ...(lacksPassword ? await this.#laterPassword() : {}),
      ...(lacksTls ? { tls: await this.#laterTrust() } : {}),
    };
  }

  async text(source: TextSource): Promise<string | undefined> {
    if ('secret' in source) return (await this.#read('secrets', source.secret))?.get(source.key);
    if ('configMap' in source) return (await this.#read('configmaps', source.configMap))?.get(source.key);
    return source.text();
  }

  /** The first that is there. One that may not be read is a reason to fail only where no other is there. */
  async #password(sources: readonly PasswordSource[]): Promise<Password | undefined> {
    return firstFound(sources, async (source) => {
      const read = await this.text(source.password);
      const password = source.isFile === true ? read?.replace(/\r?\n$/, '') : read;
      if (password === undefined || password === '') return undefined;
      const username = source.username === undefined ? undefined : await this.text(source.username);
      const user = username === undefined || username === '' ? {} : { username };
      return { password, foundIn: passwordText(source), ...user };
    });
  }

  async #laterPassword(): Promise<Password | undefined> {
    const { passwords } = this.#signIn.ifRefused;
    return firstFound([() => this.#password(passwords), () => this.#passwordInFiles()], (find) => find());
  }

  async #passwordInFiles(): Promise<Password | undefined> {
    const found = (await this.#files()).flatMap(({ source, passwords }) =>
      passwords.map((password) => ({ source, ...password })),
    );
    // A client's password in any file comes before one for replication.
    const best = found.find(({ directive }) => directive !== 'masterauth') ?? found[0];
    if (best === undefined) return undefined;
    const { source, directive, username, password } = best;
    const user = username === undefined ? '' : `user ${username}, `;
    const foundIn = `${user}password from ${directive} in ${placeOf(source)}`;
    return { password, foundIn, ...(username === undefined ? {} : { username }) };
  }

  /** Without any authority of its own, the system's are trusted. */
  async #laterTrust(): Promise<TlsTrust> {
    const files = await this.#files();
    const paths = files.find(({ tls }) => tls !== undefined)?.tls;
    const sources = paths === undefined ? this.#signIn.ifRefused.tls : this.#sourcesAt(paths);
    return sources === undefined ? {} : this.#trust(sources);
  }

  #sourcesAt(paths: TlsPaths): TlsSources {
    const { fileAt } = this.#signIn;
    const sources = Object.entries(paths).map(([part, path]: [string, string]) => [part, fileAt(path)]);
    return Object.fromEntries(sources.filter(([, source]) => source !== undefined)) as TlsSources;
  }

  async #trust(sources: TlsSources): Promise<TlsTrust> {
    const read = (source: TextSource | undefined): Promise<string | undefined> =>
      source === undefined ? Promise.resolve(undefined) : this.text(source);
    const [ca, cert, key] = await Promise.all([read(sources.ca), read(sources.cert), read(sources.key)]);
    return {
      ...(ca === undefined ? {} : { ca }),
      // One without the other is no certificate that a client could show.
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
    };
  }

  async #files(): Promise<readonly ConfigurationFile[]> {
    const files: ConfigurationFile[] = [];
    let failure: Error | undefined;
    for (const { kind, name, keys } of this.#signIn.ifRefused.files) {
      try {
        for (const [key, text] of (await this.#read(kind, name)) ?? []) {
          if (!isConfigurationKey(key) || keys?.includes(key) === false) continue;
          const source = kind === 'secrets' ? { secret: name, key } : { configMap: name, key };
          files.push({ source, ...readConfiguration(text) });
        }
      } catch (error) {
        failure ??= asError(error);
      }
    }
    if (files.length === 0 && failure !== undefined) throw failure;
    return files;
  }
}

async function firstFound<T, R>(
  items: readonly T[],
  find: (item: T) => Promise<R | undefined>,
): Promise<R | undefined> {
  let failure: Error | undefined;
  for (const item of items) {
    try {
      const found = await find(item);
      if (found !== undefined) return found;
    } catch (error) {
      failure ??= asError(error);
    }
  }
  if (failure !== undefined) throw failure;
  return undefined;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
