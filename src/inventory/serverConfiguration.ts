/** What a redis.conf or an ACL file says of signing in. */
export interface ServerConfiguration {
  /** The default user's password first, then those of users that may do the most. */
  readonly passwords: readonly FilePassword[];
  /** Paths in the server's container; present where the server listens for TLS. */
  readonly tls?: TlsPaths;
}

export interface FilePassword {
  readonly directive: 'requirepass' | 'user' | 'masterauth';
  readonly username?: string;
  readonly password: string;
}

export interface TlsPaths {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** https://redis.io/docs/latest/operate/oss_and_stack/management/config-file/ */
export function readConfiguration(text: string): ServerConfiguration {
  const lines = text
    .split('\n')
    .map(wordsOf)
    .filter(([directive]) => directive !== undefined);
  // As for a server, the last line of a directive counts.
  const last = (...names: readonly string[]): string | undefined =>
    known(lines.findLast(([directive]) => names.includes(directive?.toLowerCase() ?? ''))?.[1]);
  const required = last('requirepass');
  const users = lines.filter(([directive]) => directive?.toLowerCase() === 'user').flatMap(userOf);
  const hasReplicaUser = last('masteruser', 'primaryuser') !== undefined;
  const replication = hasReplicaUser ? undefined : last('masterauth', 'primaryauth');
  const tls = Number(last('tls-port') ?? 0) > 0 ? tlsPaths(last) : undefined;
  return {
    passwords: [
      ...(required === undefined ? [] : [{ directive: 'requirepass' as const, password: required }]),
      ...users.sort((a, b) => b.rank - a.rank).map(({ user }) => user),
      ...(replication === undefined ? [] : [{ directive: 'masterauth' as const, password: replication }]),
    ],
    ...(tls === undefined ? {} : { tls }),
  };
}

function tlsPaths(last: (name: string) => string | undefined): TlsPaths {
  const ca = last('tls-ca-cert-file');
  const asksForCertificates = last('tls-auth-clients')?.toLowerCase() !== 'no';
  const cert = asksForCertificates ? last('tls-cert-file') : undefined;
  const key = asksForCertificates ? last('tls-key-file') : undefined;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

interface RankedUser {
  readonly user: FilePassword;
  /** The higher, the more it may do. */
  readonly rank: number;
}

/** A user that may sign in by a password that the file holds; of most, files hold hashes only. */
function userOf([, username, ...rules]: readonly string[]): readonly RankedUser[] {
  const password = known(rules.findLast((rule) => rule.startsWith('>'))?.slice(1));
  if (username === undefined || password === undefined) return [];
  if (rules.findLast((rule) => rule === 'on' || rule === 'off') !== 'on') return [];
  const mayAll = rules.includes('+@all') || rules.includes('allcommands');
  const rank = (mayAll ? 2 : 0) + (username === 'default' ? 1 : 0);
  return [{ user: { directive: 'user', username, password }, rank }];
}

/** What an init script has yet to replace is no value. */
function known(value: string | undefined): string | undefined {
  return value === undefined || value === '' || /^(?:\$[{(\w]|\{\{|%\w+%$|<\w)/.test(value)
    ? undefined
    : value;
}

const word = /"((?:\\.|[^"\\])*)"|'((?:\\'|[^'])*)'|([^\s"']\S*)/g;

function wordsOf(line: string): readonly string[] {
  if (/^\s*(?:#|$)/.test(line)) return [];
  return [...line.matchAll(word)].map(
    ([, double, single, bare]) => bare ?? single?.replaceAll(String.raw`\'`, "'") ?? unescaped(double ?? ''),
  );
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\u0007' };

function unescaped(text: string): string {
  return text.replaceAll(/\\(?:x([0-9a-f]{2})|(.))/gi, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? (escapes[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
