import { spawn } from 'node:child_process';

/** Takes one line of progress for a person to read. */
export type Log = (line: string) => void;

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

const running = new Set<number>();

/** Ends every program that `run` waits for, and what those started: a build that nobody waits for any more. */
export function endRunning(): void {
  for (const group of running) {
    try {
      process.kill(-group, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
}

/**
 * Runs a program to its end and returns what it printed. Throws an error with the last lines of its output when it
 * fails, since a set-up step that fails is only understood from what the program said.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const child = spawn(command, args, {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, so that `endRunning` reaches what it starts.
    detached: true,
  });
  const { pid } = child;
  if (pid !== undefined) running.add(pid);
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const code = await new Promise<number | string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exit, signal) => {
      if (pid !== undefined) running.delete(pid);
      resolve(exit ?? signal ?? 'unknown');
    });
  });
  if (code === 0) return output;
  const tail = (errors + output).trim().split('\n').slice(-15).join('\n');
  throw new Error(`${command} ${args[0] ?? ''} ended with ${String(code)}:\n${tail}`);
}

/** What a program prints, or undefined if it cannot be started or fails: for asking what this machine has. */
export async function tryRun(command: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return await run(command, args);
  } catch {
    return undefined;
  }
}
