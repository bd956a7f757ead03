import { UserError } from '../model/errors.ts';
import type { Pod } from './apiObjects.ts';
import type { ApiClient } from './client.ts';
import { ApiFailure, explainProblem, type Asked } from './problems.ts';
import { redisContainer } from './redisContainer.ts';
import type { SignIn } from './signIn.ts';
import { openTunnel, type PodPort, type Tunnel } from './tunnel.ts';

const stdin = 0;
const stdout = 1;
const stderr = 2;
const status = 3;
/** Milliseconds until the program in the container must have connected to the server. */
const readyLimit = 10_000;

/**
 * Connects stdin and stdout with the port $0 of its own pod, and says so by a line first. Of the programs that can carry
 * any bytes, images have bash (Debian, Bitnami) or busybox's nc (Alpine); redis-cli cannot: it interprets what it reads.
 * Either end that is closed ends it, so that nothing stays in the container.
 */
const script = `if command -v bash >/dev/null 2>&1; then
  exec bash -c '
    for host in 127.0.0.1 ::1; do
      if { exec 3<>"/dev/tcp/$host/$0"; } 2>/dev/null; then
        echo ready
        cat <&3 & out=$!
        cat <&4 >&3 & in=$!
        wait -n
        kill $out $in 2>/dev/null
        exit 0
      fi
    done
    exit 111' "$0" 4<&0
fi
if command -v socat >/dev/null 2>&1; then echo ready; exec socat STDIO "TCP:127.0.0.1:$0"; fi
if command -v nc >/dev/null 2>&1; then echo ready; exec nc 127.0.0.1 "$0"; fi
exit 127`;

/** One connection to a pod's port that goes through a program in its server's container. Throws UserErrors. */
export async function openExecTunnel(
  signIn: SignIn,
  client: ApiClient,
  target: PodPort,
  signal: AbortSignal,
): Promise<Tunnel> {
  const { namespace, pod, port } = target;
  const container = await serverContainer(client, target, signal);
  const query = new URLSearchParams({ container, stdin: 'true', stdout: 'true', stderr: 'true' });
  for (const word of ['sh', '-c', script, String(port)]) query.append('command', word);
  const asked: Asked = { verb: 'get and create', resource: 'pods/exec', namespace, name: pod };
  const ready = Promise.withResolvers<undefined>();
  ready.promise.catch(() => undefined);
  let head: Buffer | undefined = Buffer.alloc(0);
  let complaint = '';
  const fail = (text: string): void => {
    ready.reject(new UserError('unreachable', text));
  };
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/exec?${query.toString()}`;
  const receive = (stream: number, data: Buffer): Buffer | 'end' | undefined => {
    if (stream === status) {
      fail(whyEnded(target, container, data.toString('utf8'), complaint));
      return 'end';
    }
    if (stream === stderr) complaint = `${complaint}${data.toString('utf8')}`.slice(0, 300);
    if (stream !== stdout) return undefined;
    if (head === undefined) return data;
    head = Buffer.concat([head, data]);
    const line = head.indexOf('\n');
    if (line < 0) return undefined;
    const rest = head.subarray(line + 1);
    head = undefined;
    ready.resolve(undefined);
    return rest;
  };
  const onClose = (): void => {
    fail(`The connection through exec to pod ${pod} was closed before it was ready.`);
  };
  const tunnel = await openTunnel(signIn, client, { path, asked, sendOn: stdin, receive, onClose }, signal);
  const late = setTimeout(() => {
    fail(`Pod ${pod} could not be reached through exec within ${readyLimit / 1000} s.`);
  }, readyLimit);
  try {
    await ready.promise;
    return tunnel;
  } catch (error) {
    tunnel.close();
    throw error;
  } finally {
    clearTimeout(late);
  }
}

function whyEnded({ pod, port }: PodPort, container: string, text: string, complaint: string): string {
  if (/exit code 127\b/.test(text))
    return `Container ${container} of pod ${pod} has none of bash, socat and nc, through which exec could reach the server.`;
  if (/exit code 111\b/.test(text)) return `Nothing listens on port ${port} of pod ${pod}.`;
  const message = /"message":"([^"]{1,300})/.exec(text)?.[1] ?? 'the program ended';
  return `Pod ${pod} could not be reached through exec: ${complaint.trim() === '' ? message : complaint.trim()}`;
}

/** By a list, since who may see clusters may list pods, and need not be allowed to get one. */
async function serverContainer(
  client: ApiClient,
  { namespace, pod }: PodPort,
  signal: AbortSignal,
): Promise<string> {
  const asked: Asked = { verb: 'list', resource: 'pods', namespace };
  const list = (await client.json({
    asked,
    method: 'GET',
    path: `/api/v1/namespaces/${namespace}/pods`,
    query: { fieldSelector: `metadata.name=${pod}` },
    signal,
  })) as { readonly items: readonly Pod[] };
  const [found] = list.items;
  const containers = found?.spec?.containers ?? [];
  const server = redisContainer(containers, found?.metadata?.labels)?.container ?? containers[0];
  if (server === undefined)
    throw explainProblem(new ApiFailure(404, 'no such pod'), client.context, { ...asked, name: pod });
  return server.name;
}
