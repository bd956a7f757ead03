/** What the name of an operator user may look like. */
export const operatorName = /^[A-Za-z0-9_.-]{1,64}$/;

/**
 * Every command that this product sends, or makes a server send to another one, by what needs it. A unit test compares
 * the list with the code, and a test on real servers runs all operations as a user who may run nothing else.
 */
const commands: Readonly<Record<string, readonly string[]>> = {
  'reading a cluster': ['ping', 'info', 'cluster|nodes', 'cluster|info', 'cluster|myid', 'config|get'],
  'waiting for replicas and clocks': ['time', 'wait'],
  'holding the agents back': ['client|setname'],
  'choosing how slots move': ['command|info', 'acl|dryrun'],
  'moving slots': [
    ...['cluster|setslot', 'cluster|countkeysinslot', 'cluster|getkeysinslot', 'asking', 'multi', 'exec'],
    ...['migrate', 'select', 'restore', 'restore-asking', 'set', 'unlink', 'eval'],
  ],
  'moving slots as a whole': [
    ...['cluster|migration', 'cluster|migrateslots', 'cluster|getslotmigrations'],
    'cluster|cancelslotmigrations',
  ],
  'finding big keys and comparing copies': [
    ...['scan', 'readonly', 'memory|usage', 'type', 'hlen', 'scard', 'zcard', 'dump', 'pttl', 'dbsize'],
  ],
  'changing the members of a cluster': [
    ...['cluster|meet', 'cluster|forget', 'cluster|replicate', 'cluster|reset', 'cluster|failover'],
    ...['cluster|addslots', 'cluster|bumpepoch', 'cluster|set-config-epoch', 'flushall'],
  ],
  'copying functions': ['function|list', 'function|dump', 'function|restore'],
  'restoring backups': ['function|load', 'pexpiretime'],
  'changing settings': ['config|set'],
  'saving keys to disk': ['bgsave', 'lastsave'],
  'backing up': ['replconf', 'sync', 'client|pause', 'client|unpause'],
};

export const operatorCommands: readonly string[] = Object.values(commands).flat().sort();

/** Since when a server has a command; the others are as old as ACL rules for subcommands (Redis 7.0). */
const since: Readonly<Record<string, string>> = {
  'cluster|migration': 'redis-8.4',
  'cluster|migrateslots': 'valkey-9.0',
  'cluster|getslotmigrations': 'valkey-9.0',
  'cluster|cancelslotmigrations': 'valkey-9.0',
};

const scope = ['on', '~*', 'resetchannels', '-@all'];

/** What the user may do, as words of an ACL rule; `known` are the commands that the server has. */
export function operatorRules(known: readonly string[]): readonly string[] {
  return [...scope, ...known.map((command) => `+${command}`)];
}

/** The same for servers of any version: `redis-8.4:+cluster|migration` is a rule for those that have the command. */
export function rulesForAnyVersion(): readonly string[] {
  return [
    ...scope,
    ...operatorCommands.map((command) => {
      const first = since[command];
      return first === undefined ? `+${command}` : `${first}:+${command}`;
    }),
  ];
}
