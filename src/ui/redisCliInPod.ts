import type { PodSignIn } from '../inventory/podSignIn.ts';

/** What is started in a pod. The password is written to it when it requests it, and stands in no argument. */
export interface PodProgram {
  readonly command: readonly string[];
  readonly password?: string;
}

/** A control sequence that terminals do not show. */
const passwordRequest = '\u001b]redis-cluster;password\u0007';

/**
 * How redis-cli signs in: with a password that is written to it, as the default user without one, or, where nothing was
 * read of the server, with what the container's own variables hold.
 */
type Mode = 'given' | 'none' | 'container';

/** Variables in the order in which a reading looks for a client's password, and those with its user. */
const variables = {
  REDIS_PASSWORD: ['REDIS_USERNAME', 'REDIS_USER'],
  VALKEY_PASSWORD: ['VALKEY_USERNAME'],
  KEYDB_PASSWORD: ['KEYDB_USERNAME', 'KEYDB_USER'],
  REDIS_DEFAULT_PASSWORD: ['REDIS_DEFAULT_USER'],
  VALKEY_DEFAULT_PASSWORD: ['VALKEY_DEFAULT_USER'],
  REDISCLI_AUTH: ['REDISCLI_USER'],
  VALKEYCLI_AUTH: ['VALKEY_USER'],
  REDISCLI_PASSWORD: [],
} satisfies Record<string, readonly string[]>;

const cases = Object.entries(variables).map(
  ([name, users]: [string, readonly string[]]) =>
    `try "\${${name}_FILE:-}" "\${${name}:-}" "${users.reduceRight((rest, user) => `\${${user}:-${rest}}`, '')}"`,
);

/**
 * Runs the script of the bundled manifests, which knows the present password and certificates, or redis-cli (valkey-cli,
 * keydb-cli) by itself: $0 is the port, then follow mode, user, whether TLS is spoken, and the paths of authority,
 * certificate and key. Where the server refuses the password, the container's own is tried. The connection stays within
 * the pod, so that a certificate need not bear the name localhost, and without an authority none is checked.
 * https://redis.io/docs/latest/develop/tools/cli/
 */
const script = [
  'if [ -r /opt/redis-cluster/cli.sh ]; then exec sh /opt/redis-cluster/cli.sh -c; fi',
  'mode=$1 user=$2 tls=$3 ca=$4 cert=$5 key=$6 password=',
  `if [ "$mode" = given ]; then
  if stty -echo 2>/dev/null; then
    printf '\\033]redis-cluster;password\\007'
    IFS= read -r password
    stty echo
  else
    mode=container
  fi
fi`,
  `try() {
  [ -z "$password" ] || return 0
  password=$2
  if [ -n "$1" ] && [ -r "$1" ]; then password=$(cat "$1"); fi
  if [ -n "$password" ]; then user=$3; fi
}`,
  `own() {
  password= user=
  ${cases.join('\n  ')}
}
if [ "$mode" = container ]; then own; fi`,
  'case ${REDIS_TLS_ENABLED:-}${VALKEY_TLS_ENABLED:-}${TLS_MODE:-} in yes | true | 1) tls=yes ;; esac',
  `run() {
  unset REDISCLI_AUTH VALKEYCLI_AUTH
  if [ -n "$password" ]; then export REDISCLI_AUTH="$password" VALKEYCLI_AUTH="$password"; fi
  set -- -p "$0" -c
  if [ -n "$user" ]; then set -- "$@" --user "$user"; fi
  if [ "$tls" = yes ]; then
    if [ -r "$ca" ]; then set -- "$@" --tls --cacert "$ca"; else set -- "$@" --tls --insecure; fi
    if [ -r "$cert" ] && [ -r "$key" ]; then set -- "$@" --cert "$cert" --key "$key"; fi
  fi
  for cli in redis-cli valkey-cli keydb-cli; do
    command -v "$cli" >/dev/null || continue
    if [ -n "$probe" ]; then "$cli" "$@" PING 2>&1; exit; fi
    exec "$cli" "$@"
  done
  echo "This container has no redis-cli."; exit 127
}`,
  // A Secret that was changed while the pods run holds a password that their servers do not have yet.
  `if [ "$mode" = given ]; then
  case $(probe=yes; run </dev/null) in *WRONGPASS* | *NOAUTH*) own ;; esac
fi
probe= && run`,
].join('\n');

/**
 * redis-cli on the server in a container.
 * @param signIn what the reading knows; undefined where it may not know
 * @param isRead whether the server answers a client that shows just that
 */
export function redisCliInPod(port: number, signIn: PodSignIn | undefined, isRead: boolean): PodProgram {
  const { username = '', password, tls } = signIn?.credentials ?? {};
  const mode = modeOf(password, isRead);
  const { ca = '', cert = '', key = '' } = signIn?.tlsFiles ?? {};
  const options = [mode, mode === 'given' ? username : '', tls === undefined ? 'no' : 'yes', ca, cert, key];
  return {
    command: ['sh', '-c', script, String(port), ...options],
    ...(mode === 'given' && password !== undefined ? { password } : {}),
  };
}

function modeOf(password: string | undefined, isRead: boolean): Mode {
  if (password === undefined) return isRead ? 'none' : 'container';
  // A terminal makes something else of control characters.
  return /\p{Cc}/u.test(password) ? 'container' : 'given';
}

/** Shows what a program writes, and answers its first words where they request the password. */
export function answeringRequest(show: (data: string) => void, answer: () => void): (data: string) => void {
  let first: string | undefined = '';
  return (data) => {
    if (first === undefined) {
      show(data);
      return;
    }
    first += data;
    if (first !== passwordRequest && passwordRequest.startsWith(first)) return;
    const isRequest = first.startsWith(passwordRequest);
    const rest = isRequest ? first.slice(passwordRequest.length) : first;
    first = undefined;
    if (isRequest) answer();
    if (rest !== '') show(rest);
  };
}
