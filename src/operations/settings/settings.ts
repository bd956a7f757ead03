import { UserError } from '../../model/errors.ts';

/** Why a setting is not for the file to say: the start script or the cluster itself says it. */
const notHere: readonly (readonly [name: RegExp, why: string])[] = [
  [/^maxmemory$/, 'it follows from the memory limit: change the memory'],
  [
    /^(requirepass|masterauth|masteruser|primaryauth|primaryuser|user|aclfile)$/,
    'passwords come from the Secret',
  ],
  [
    /^tls-|^(port|bind|unixsocket|unixsocketperm|unixsocketgroup|cluster-port|protected-mode)$/,
    'the pods, Services and probes rely on it',
  ],
  [/^(cluster|replica|slave)-announce-|^proc-title-template$/, 'the start script sets it for each pod'],
  [
    /^(include|loadmodule|logfile|pidfile|daemonize|supervised|cluster-enabled|cluster-config-file)$/,
    'the manifests rely on it',
  ],
  [
    /^(dir|dbfilename|appendfilename|appenddirname)$/,
    'servers would start without the files that hold their keys',
  ],
  [/^(replicaof|slaveof|replica-priority|slave-priority)$/, 'roles belong to the cluster'],
  [/^rename-command$/, 'the agent and the probes rely on the commands'],
];

/** Settings that Redis 7.0.15 to 8.6.3 or Valkey 8.1.1 and 9.1.2 refuse to change while they run, as each of them said. */
const fixedAtStart = new Set(
  (
    'always-show-logo aof_rewrite_cpulist aof-rewrite-cpulist bgsave_cpulist bgsave-cpulist bio_cpulist bio-cpulist ' +
    'cluster-databases databases disable-thp enable-debug-command enable-module-command enable-protected-configs ' +
    'hash-seed io-threads io-threads-do-reads mptcp rdbchecksum rdma-completion-vector rdma-rx-size repl-mptcp ' +
    'server_cpulist server-cpulist set-proc-title socket-mark-id syslog-enabled syslog-facility syslog-ident tcp-backlog'
  ).split(' '),
);

/** Throws a UserError where a setting is none, or is set in another way. */
export function checkSettings(config: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(config)) {
    if (!/^[a-z][a-z0-9_-]*$/.test(name)) {
      throw invalid(`"${name}" is not the name of a setting, such as maxmemory-policy.`);
    }
    const reason = notHere.find(([pattern]) => pattern.test(name));
    if (reason !== undefined) throw invalid(`"${name}" cannot be set this way: ${reason[1]}.`);
    if (/[\r\n\0]/.test(value)) throw invalid(`The value of "${name}" must be one line.`);
  }
}

function invalid(message: string): UserError {
  return new UserError('invalid-input', `${message} Nothing was changed.`);
}

/** Whether a server has to be restarted to take the setting. */
export function needsRestart(name: string): boolean {
  return fixedAtStart.has(name);
}

/** Whether a value of this setting may be read and shown: neither a secret, nor said by each pod's start script. */
export function isShared(name: string): boolean {
  return !notHere.some(([pattern]) => pattern.test(name));
}

/** What a redis.conf sets; a name that stands there several times has its values in their order. */
export function settingsIn(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const read = readLine(line);
    if (read !== undefined) found.set(read.name, [...(found.get(read.name) ?? []), read.value]);
  }
  return found;
}

function readLine(line: string): { readonly name: string; readonly value: string } | undefined {
  const match = /^\s*([A-Za-z][\w-]*)\s+(.*?)\s*$/.exec(line);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { name: match[1].toLowerCase(), value: unquoted(match[2]) };
}

/** One quoted word; anything else is as it stands. Escapes are those of JSON as far as people write them here. */
function unquoted(value: string): string {
  if (/^'[^']*'$/.test(value)) return value.slice(1, -1);
  if (!/^"(?:[^"\\]|\\.)*"$/.test(value)) return value;
  return value.slice(1, -1).replace(/\\(.)/g, '$1');
}

/**
 * The text with these settings in it: a line that sets one is replaced where it stands, further lines of the same
 * name go, and what is new comes at the end. Comments and order stay.
 */
export function editSettings(text: string, config: Readonly<Record<string, string>>): string {
  const left = new Map(Object.entries(config));
  const lines = text
    .replace(/\n+$/, '')
    .split('\n')
    .flatMap((line) => {
      const name = readLine(line)?.name;
      if (name === undefined || !(name in config)) return [line];
      const value = left.get(name);
      left.delete(name);
      return value === undefined ? [] : [lineFor(name, value)];
    });
  return [...lines, ...[...left].map(([name, value]) => lineFor(name, value)), ''].join('\n');
}

/** Values of several words (`save 900 1 300 10`) stay words; what would not be read back the same is quoted. */
function lineFor(name: string, value: string): string {
  const plain = value !== '' && !/["'\\#]/.test(value) && value === value.trim();
  return `${name} ${plain ? value : `"${value.replace(/["\\]/g, '\\$&')}"`}`;
}

/** Whether a server's value is the file's: amounts of memory and of time have several ways to be written. */
export function isSameValue(written: string, said: string): boolean {
  const plain = (value: string): string => {
    const text = value.trim().toLowerCase().replace(/\s+/g, ' ');
    const amount = /^(\d+)(b|kb?|mb?|gb?)?$/.exec(text);
    if (amount === null) return text;
    return String(Number(amount[1]) * (units[amount[2] ?? ''] ?? 1));
  };
  return plain(written) === plain(said);
}

/** redis.conf's own: `1k` is 1000 bytes, `1kb` is 1024. */
const units: Readonly<Record<string, number>> = {
  k: 1_000,
  kb: 1_024,
  m: 1_000_000,
  mb: 1_048_576,
  g: 1_000_000_000,
  gb: 1_073_741_824,
};

/** A value as it stands in a text. */
export function valueText(value: string): string {
  return value === '' ? '""' : value;
}
