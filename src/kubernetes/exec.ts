import { UserError } from '../model/errors.ts';
import { openChannel } from './channel.ts';
import type { ApiClient } from './client.ts';
import type { ExecSession } from './kubernetesAccess.ts';
import type { Asked } from './problems.ts';
import type { SignIn } from './signIn.ts';

const stdin = 0;
const stdout = 1;
const status = 3;
const resize = 4;
/** What a shell reports for a program whose terminal was closed. */
const hungUp = 129;

/** Starts a program with a TTY. The session's `done` rejects with a UserError where the connection broke first. */
export async function exec(
  signIn: SignIn,
  client: ApiClient,
  target: { readonly namespace: string; readonly pod: string; readonly container: string },
  command: readonly string[],
  onOutput: (data: string) => void,
): Promise<ExecSession> {
  const { namespace, pod, container } = target;
  const query = new URLSearchParams({ container, stdin: 'true', stdout: 'true', tty: 'true' });
  for (const word of command) query.append('command', word);
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/exec?${query.toString()}`;
  const asked: Asked = { verb: 'get and create', resource: 'pods/exec', namespace, name: pod };
  const decoder = new TextDecoder();
  const { promise: done, resolve, reject } = Promise.withResolvers<{ readonly exitCode: number }>();
  done.catch(() => undefined);
  const channel = await openChannel(signIn, client, path, asked, {
    onData: (stream, data) => {
      if (stream === stdout) onOutput(decoder.decode(data, { stream: true }));
      else if (stream === status) resolve({ exitCode: exitCodeOf(data.toString('utf8')) });
    },
    onClose: () => {
      reject(
        new UserError('unreachable', `The connection to pod ${pod} was closed before the program ended.`),
      );
    },
  });
  void done
    .finally(() => {
      channel.close();
    })
    .catch(() => undefined);
  const ignore = (): void => undefined;
  return {
    done,
    write: (data) => {
      channel.send(stdin, Buffer.from(data), ignore);
    },
    resize: (columns, rows) => {
      channel.send(resize, Buffer.from(JSON.stringify({ Width: columns, Height: rows })), ignore);
    },
    close: () => {
      resolve({ exitCode: hungUp });
    },
  };
}

/** Reads the Status object that ends a program's streams. */
function exitCodeOf(text: string): number {
  const ended = JSON.parse(text) as {
    readonly status?: string;
    readonly details?: {
      readonly causes?: readonly { readonly reason?: string; readonly message?: string }[];
    };
  };
  if (ended.status === 'Success') return 0;
  const code = ended.details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message;
  return Number(code ?? 1);
}
