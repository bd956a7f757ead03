import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/**
 * Starts servers at the word of its input and stops them when that ends, which it does however its parent ends. Two
 * seconds after TERM nothing of the group is left. It is plain sh since a VS Code's own Node may be an Electron.
 */
const script = String.raw`
server=$1 folder=$2 jobs=
while read -r number; do
  (
    trap : TERM
    "$server" "$folder/$number/redis.conf" </dev/null >>"$folder/$number/log" 2>&1 &
    echo "started $number $!"
    wait $!; wait $!
    echo "ended $number"
  ) </dev/null &
  jobs="$jobs $!"
done
trap : TERM
kill -s TERM 0
kill -s CONT 0
( sleep 2; rm -rf "$folder"; kill -s KILL 0 ) >/dev/null 2>&1 </dev/null &
[ -z "$jobs" ] || wait $jobs
rm -rf "$folder"
kill -s KILL 0
`;

export interface Supervisor {
  /** Starts the server whose files are in the folder of that number; the process id, once it has one. */
  start(number: number): Promise<number>;
  hasEnded(number: number): boolean;
  /** Ends all servers and removes the folder. */
  stop(): Promise<void>;
}

/** One `sh` in a process group of its own: a Ctrl-C at the terminal reaches it through its parent's end only. */
export function startSupervisor(redisServer: string, folder: string): Supervisor {
  const shell = spawn('sh', ['-c', script, 'sh', redisServer, folder], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  const ended = new Set<number>();
  const starting = new Map<number, (pid: number) => void>();
  shell.stdin.on('error', () => undefined);
  createInterface(shell.stdout).on('line', (line) => {
    const [word, number, pid] = line.split(' ');
    if (word === 'ended') ended.add(Number(number));
    else if (word === 'started') starting.get(Number(number))?.(Number(pid));
  });
  letGo({ shell, pipes: [shell.stdin, shell.stdout] });
  return {
    start: async (number) => {
      ended.delete(number);
      const { promise, resolve } = Promise.withResolvers<number>();
      starting.set(number, resolve);
      shell.ref();
      shell.stdin.write(`${number}\n`);
      const pid = await promise;
      starting.delete(number);
      if (starting.size === 0) shell.unref();
      return pid;
    },
    hasEnded: (number) => ended.has(number),
    stop: async () => {
      if (shell.exitCode !== null || shell.signalCode !== null) return;
      shell.ref();
      const exit = once(shell, 'exit');
      shell.stdin.end();
      await exit;
    },
  };
}

/** A forgotten sandbox must not keep this process alive: it ends with it. */
export function letGo({
  shell,
  pipes,
}: {
  shell: ChildProcess;
  pipes: readonly (Readable | Writable)[];
}): void {
  shell.unref();
  for (const pipe of pipes) if (pipe instanceof Socket) pipe.unref();
}
