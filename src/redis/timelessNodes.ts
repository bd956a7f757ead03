/**
 * A reply to CLUSTER NODES of which the times of ping and pong do not count: they alone differ in what a server says
 * from one second to the next.
 */
export interface TimelessNodes {
  /** The reply, with zeros for the digits of its times. */
  readonly bytes: Buffer;
  /** Where the times begin and end in it (see parseClusterNodes). */
  readonly times: readonly number[];
}

export function timelessNodes(reply: Buffer, times: readonly number[]): TimelessNodes {
  const bytes = Buffer.from(reply);
  writeZeros(bytes, times);
  return { bytes, times };
}

/** One for all replies: two hundred of 26 kB every second would be garbage to collect. */
let scratch = Buffer.alloc(0);

/** Whether a reply says, but for the times, what one said before; a time of another length counts as different. */
export function saysTheSame(reply: Buffer, { bytes, times }: TimelessNodes): boolean {
  const { length } = bytes;
  if (reply.length !== length) return false;
  if (scratch.length < length) scratch = Buffer.alloc(2 * length);
  reply.copy(scratch);
  return writeZeros(scratch, times) && scratch.compare(bytes, 0, length, 0, length) === 0;
}

const zero = '0'.charCodeAt(0);
const blank = ' '.charCodeAt(0);

/** False where something else than numbers and blanks stands in the place of times. */
function writeZeros(bytes: Buffer, times: readonly number[]): boolean {
  for (let time = 0; time < times.length; time += 2) {
    const end = times[time + 1] ?? 0;
    for (let at = times[time] ?? 0; at < end; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === blank) continue;
      if (byte < zero || byte > zero + 9) return false;
      bytes[at] = zero;
    }
  }
  return true;
}
