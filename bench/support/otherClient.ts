// Another client of a server, in a process of its own: PINGs it steadily by a plain socket. The address comes as
// arguments; at a line on standard input it prints how long it waited, as JSON, and begins again.
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds that PINGs took. */
export interface Waits {
  readonly count: number;
  readonly median: number;
  readonly p99: number;
  readonly longest: number;
}

function summary(waits: readonly number[]): Waits {
  const sorted = [...waits].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { count: sorted.length, median: at(0.5), p99: at(0.99), longest: at(1) };
}

async function main(host: string, port: number): Promise<void> {
  const socket = connect({ host, port, noDelay: true });
  await once(socket, 'connect');
  let waits: number[] = [];
  createInterface(process.stdin)
    .on('line', () => {
      process.stdout.write(`${JSON.stringify(summary(waits))}\n`);
      waits = [];
    })
    .on('close', () => process.exit(0));
  for (;;) {
    const start = performance.now();
    const answered = once(socket, 'data');
    socket.write('PING\r\n');
    await answered;
    waits.push(performance.now() - start);
    await sleep(1);
  }
}

const [host, port] = process.argv.slice(2);
if (process.argv[1] === import.meta.filename && host !== undefined) await main(host, Number(port));
