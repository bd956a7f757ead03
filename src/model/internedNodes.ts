import type { KnownNode, NodeView } from './nodeView.ts';

/** What one server reports of itself and of the nodes it knows. */
export interface ClusterNodes {
  readonly self: KnownNode;
  readonly others: readonly KnownNode[];
  /** Where in the text the times of ping and pong of each line begin and end, one after another. */
  readonly times: readonly number[];
}

export interface ReadLine {
  readonly node: KnownNode;
  readonly isSelf: boolean;
}

/** A reply of which the times of ping and pong do not count: they alone differ from one second to the next. */
interface TimelessReply {
  /** The reply, with zeros for the digits of its times. */
  readonly bytes: Buffer;
  readonly times: readonly number[];
}

function timelessReply(reply: Buffer, times: readonly number[]): TimelessReply {
  const bytes = Buffer.from(reply);
  writeZeros(bytes, times);
  return { bytes, times };
}

/** One for all replies: two hundred of 26 kB every second would be garbage to collect. */
class Scratch {
  #bytes = Buffer.alloc(0);

  /** Whether a reply is, but for the times, what one was before; a time of another length counts as different. */
  holdsTheSame(reply: Buffer, { bytes, times }: TimelessReply): boolean {
    const { length } = bytes;
    if (reply.length !== length) return false;
    if (this.#bytes.length < length) this.#bytes = Buffer.alloc(2 * length);
    reply.copy(this.#bytes);
    return writeZeros(this.#bytes, times) && this.#bytes.compare(bytes, 0, length, 0, length) === 0;
  }
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

const mostLines = 5000;

/**
 * Keeps what servers reported, and what was concluded from it. A reading of 200 nodes is 40,000 lines every few seconds,
 * nearly all as before: a line, a reply or a conclusion that has not changed is the very same object again, so to see
 * that nothing has changed is to compare identities. Everything that does so is in this file.
 */
export class InternedNodes {
  readonly #lines = new Map<string, ReadLine & { readonly after: string }>();
  readonly #replies = new WeakMap<
    object,
    { readonly timeless: TimelessReply; readonly nodes: ClusterNodes }
  >();
  readonly #scratch = new Scratch();
  #lastText = '';

  /**
   * A line of CLUSTER NODES, read once however many servers report it.
   * @param before what stands before the times of ping and pong @param after what stands behind them
   */
  line(before: string, after: string, read: (line: string) => ReadLine): ReadLine {
    const known = this.#lines.get(before);
    if (known?.after === after) return known;
    const line = { ...read(copyOf(before + after)), after: copyOf(after) };
    if (this.#lines.size >= mostLines) this.#lines.clear();
    this.#lines.set(copyOf(before), line);
    return line;
  }

  /**
   * The nodes in a reply to CLUSTER NODES: the very same `self` and `others` as long as the server reports the same.
   * @param server what stands for the server, such as the connection to it
   * @param parse reads the reply, one character for each of its bytes
   */
  nodesIn(server: object, reply: Buffer, parse: (text: string) => ClusterNodes): ClusterNodes {
    const last = this.#replies.get(server);
    if (last !== undefined && this.#scratch.holdsTheSame(reply, last.timeless)) return last.nodes;
    const now = parse(reply.toString('latin1'));
    // A ping that is on its way makes a longer text of the same nodes.
    const nodes = last !== undefined && areSame(now, last.nodes) ? last.nodes : now;
    this.#replies.set(server, { timeless: timelessReply(reply, now.times), nodes });
    return nodes;
  }

  /** Equal texts, one after another, as one string: to compare them does not mean to read them. */
  text(text: string): string {
    if (text !== this.#lastText) this.#lastText = text;
    return this.#lastText;
  }

  /**
   * A function that draws a conclusion again only where one of its inputs is another object than the last time. Kept for
   * as long as the first input is.
   */
  concluding<Inputs extends readonly object[], Result>(
    conclude: (...inputs: Inputs) => Result,
  ): (...inputs: Inputs) => Result {
    const kept = new WeakMap<object, { readonly inputs: Inputs; readonly result: Result }>();
    return (...inputs) => {
      const [first] = inputs;
      if (first === undefined) return conclude(...inputs);
      const last = kept.get(first);
      const isSame =
        last?.inputs.length === inputs.length && inputs.every((input, at) => input === last.inputs[at]);
      if (last !== undefined && isSame) return last.result;
      const result = conclude(...inputs);
      kept.set(first, { inputs, result });
      return result;
    };
  }
}

/** A slice keeps the whole text in memory that it is a part of. */
function copyOf(slice: string): string {
  return Buffer.from(slice).toString();
}

/** Lines that say the same are the same nodes. */
function areSame(now: ClusterNodes, last: ClusterNodes): boolean {
  const isSame = now.self === last.self && now.others.length === last.others.length;
  return isSame && now.others.every((node, at) => node === last.others[at]);
}

export const internedNodes = new InternedNodes();

const allLines = internedNodes.concluding(
  (...lists: readonly NodeView['others'][]): ReadonlySet<KnownNode> => {
    const lines = new Set<KnownNode>();
    for (const others of lists) for (const line of others) lines.add(line);
    return lines;
  },
);

/** What views report of other nodes, each line once; the very same set as long as all of them report the same. */
export function linesIn(views: readonly Pick<NodeView, 'others'>[]): ReadonlySet<KnownNode> {
  return allLines(...views.map(({ others }) => others));
}
