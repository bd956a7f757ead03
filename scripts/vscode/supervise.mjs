// Runs a command in a process group of its own and ends the whole group when standard input closes, which happens when
// the process that started this one is gone, however it went. Then removes the folder it was given, if any.
// usage: node supervise.mjs <folder to remove or ''> <command> [arguments…]
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const [folder = '', command = '', ...args] = process.argv.slice(2);
const child = spawn(command, args, { detached: true, stdio: ['ignore', 'inherit', 'inherit'] });
const group = child.pid === undefined ? undefined : -child.pid;

/** @param {NodeJS.Signals | 0} signal */
function signalGroup(signal) {
  if (group === undefined) return false;
  try {
    return process.kill(group, signal);
  } catch {
    return false;
  }
}

/** Whether the group is gone within this time. @param {number} limitMs */
async function groupGone(limitMs) {
  const until = Date.now() + limitMs;
  while (signalGroup(0)) {
    if (Date.now() > until) return false;
    await delay(50);
  }
  return true;
}

/** The command first, since it may end its children in good order. @param {number} code */
async function end(code) {
  child.kill('SIGTERM');
  if (!(await groupGone(2000))) signalGroup('SIGTERM');
  if (!(await groupGone(3000))) signalGroup('SIGKILL');
  if (folder !== '') await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  process.exit(code);
}

/** @type {Promise<void> | undefined} */
let ending;
/** @param {number} code */
const endOnce = (code) => {
  ending ??= end(code);
};
child.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  endOnce(1);
});
child.on('exit', (code) => {
  endOnce(code ?? 1);
});
process.stdin.on('end', () => {
  endOnce(0);
});
process.stdin.on('error', () => {
  endOnce(0);
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    endOnce(1);
  });
}
process.stdin.resume();
