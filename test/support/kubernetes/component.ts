import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { runFolder, runMark } from './layout.ts';

/**
 * One long-running program of the cluster. It is started again when it ends by itself, as an init system would,
 * and the kernel ends it when this process ends, even if that is killed.
 */
export class Component {
  readonly name: string;
  readonly #command: readonly string[];
  #child: ChildProcess | undefined;
  #wanted = false;

  constructor(name: string, command: readonly string[]) {
    this.name = name;
    this.#command = command;
  }

  get logFile(): string {
    return join(runFolder, 'log', `${this.name}.log`);
  }

  start(): void {
    this.#wanted = true;
    const log = openSync(this.logFile, 'a', 0o600);
    const [variable = '', value = ''] = runMark.split('=');
    // The parts talk to each other on this machine, past any proxy.
    const env = { ...process.env, [variable]: value, NO_PROXY: '*', no_proxy: '*' };
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...this.#command], {
      env,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#child = child;
    // On a busy machine a starved control plane looks like a broken one.
    if (child.pid !== undefined) setPriority(child.pid, -5);
    child.on('error', () => undefined);
    child.on('close', () => {
      this.#child = undefined;
      setTimeout(() => {
        if (this.#wanted && this.#child === undefined) this.start();
      }, 500);
    });
  }

  /** Ends the program at once: nothing it writes is needed again. */
  async stop(): Promise<void> {
    this.#wanted = false;
    const child = this.#child;
    if (child === undefined) return;
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
  }

  /** The last lines it wrote, to say why the cluster did not come up. */
  async tail(): Promise<string> {
    const text = await readFile(this.logFile, 'utf8').catch(() => '');
    return text.trim().split('\n').slice(-5).join('\n');
  }
}
