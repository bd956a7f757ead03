import type { Container, PodSpec } from './apiObjects.ts';
import type { Environment } from './environment.ts';
import { fileAt } from './mountedFiles.ts';
import type { ServerArguments } from './serverArguments.ts';
import type { PasswordSource, TextSource } from './signInSources.ts';

interface PasswordVariable {
  readonly password: string;
  /** Variables with the ACL user whose password it is, the first that is there. */
  readonly users: readonly string[];
  /** For the redis-cli of probes: an operator's user may have fewer rights than the default user without a password. */
  readonly isForProbes?: boolean;
}

/** Variables with a client's password as the common images, charts and operators call them, the surest first. */
const variables: readonly PasswordVariable[] = [
  { password: 'REDIS_PASSWORD', users: ['REDIS_USERNAME', 'REDIS_USER'] },
  { password: 'VALKEY_PASSWORD', users: ['VALKEY_USERNAME'] },
  { password: 'KEYDB_PASSWORD', users: ['KEYDB_USERNAME', 'KEYDB_USER'] },
  { password: 'REDIS_DEFAULT_PASSWORD', users: ['REDIS_DEFAULT_USER'] },
  { password: 'VALKEY_DEFAULT_PASSWORD', users: ['VALKEY_DEFAULT_USER'] },
  { password: 'REDISCLI_AUTH', users: ['REDISCLI_USER'], isForProbes: true },
  { password: 'VALKEYCLI_AUTH', users: ['VALKEY_USER'], isForProbes: true },
];

const otherName = /(?:REDIS|VALKEY|KEYDB).*PASS(?:WORD|WD)?$/i;
/** Passwords of other servers, of other protocols, of replicas, and switches that carry the word. */
const otherPurpose =
  /SENTINEL|REPL|MASTER|PRIMARY|EXPORTER|METRICS|TLS|SSL|CERT|ALLOW_EMPTY|USE_PASS|REQUIRE_PASS/i;

/** By which a replica signs in to its master: what clients need as well, unless it has a user of its own. */
const replicationNames = ['REDIS_MASTER_PASSWORD', 'VALKEY_PRIMARY_PASSWORD'];

/** Where a client's password may be, the surest place first: those of replicas come last, those of Sentinel never. */
export function passwordSources(
  spec: PodSpec | undefined,
  container: Container,
  env: Environment,
  options: ServerArguments,
): { readonly sure: readonly PasswordSource[]; readonly ifRefused: readonly PasswordSource[] } {
  const inFile = (name: string): TextSource | undefined => {
    const path = env.text(`${name}_FILE`);
    return path === undefined ? undefined : fileAt(spec, container, path);
  };
  const known = new Set(variables.map(({ password }) => password));
  const others = [...new Set(env.names.map((name) => name.replace(/_FILE$/, '')))]
    .filter((name) => otherName.test(name) && !otherPurpose.test(name) && !known.has(name))
    .map((password): PasswordVariable => ({ password, users: [] }));
  const all = [...variables, ...others];
  const sureOf = ({ password, users }: PasswordVariable): readonly PasswordSource[] => [
    ...withUser(inFile(password), users, env).map((source) => ({ ...source, isFile: true as const })),
    ...withUser(env.source(password), users, env),
  ];
  const isLater = ({ users, isForProbes }: PasswordVariable): boolean =>
    isForProbes === true && userIn(users, env) !== undefined;
  const required = withUser(options.source('requirepass'), [], env);
  const replication = [
    ...(options.source('masteruser') === undefined ? [options.source('masterauth')] : []),
    ...(options.source('primaryuser') === undefined ? [options.source('primaryauth')] : []),
    ...replicationNames.flatMap((name) => [inFile(name), env.source(name)]),
  ];
  return {
    sure: [...required, ...all.filter((variable) => !isLater(variable)).flatMap(sureOf)],
    ifRefused: [
      ...all.filter(isLater).flatMap(sureOf),
      ...all.flatMap(({ password, users }) =>
        env.possible(password).flatMap((source) => withUser(source, users, env)),
      ),
      ...replication.flatMap((source) => withUser(source, [], env)),
    ],
  };
}

function withUser(
  password: TextSource | undefined,
  users: readonly string[],
  env: Environment,
): readonly PasswordSource[] {
  if (password === undefined) return [];
  const username = userIn(users, env) ?? possibleUser(password, users, env);
  return [{ password, ...(username === undefined ? {} : { username }) }];
}

function userIn(users: readonly string[], env: Environment): TextSource | undefined {
  return users.map((name) => env.source(name)).find((source) => source !== undefined);
}

/** In the same object of `envFrom` as the password. */
function possibleUser(
  password: TextSource,
  users: readonly string[],
  env: Environment,
): TextSource | undefined {
  if (!('secret' in password)) return undefined;
  return users
    .flatMap((name) => env.possible(name))
    .find((source) => 'secret' in source && source.secret === password.secret);
}
