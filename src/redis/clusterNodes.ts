import { UserError } from '../model/errors.ts';
import type { KnownNode, OpenSlot } from '../model/nodeView.ts';
import { slotSet, type SlotRange } from '../model/slots.ts';

/** What one server says of itself and of the nodes it knows. */
export interface ClusterNodes {
  readonly self: KnownNode;
  readonly others: readonly KnownNode[];
  /** How each line was read, in their order. */
  readonly lines: readonly ReadLine[];
}

/** A line without the times of ping and pong that stand in it; `before` ends with the space that they follow. */
interface ReadLine {
  readonly before: string;
  readonly after: string;
  readonly node: KnownNode;
}

/**
 * Reads CLUSTER NODES. The server that was asked is the line flagged `myself`. Of 200 nodes it is 40,000 lines, nearly
 * all of which say what they said before: given what the same server said last, only lines that differ are read anew,
 * and where none does the very same `self` and `others` are returned, so that whoever draws conclusions from them can
 * tell that nothing has changed.
 */
export function parseClusterNodes(text: string, last?: ClusterNodes): ClusterNodes {
  const lines: ReadLine[] = [];
  let isNew = false;
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n', at);
    const stop = end === -1 ? text.length : end;
    const known = last?.lines[lines.length];
    if (known !== undefined && isSame(known, text, at, stop)) lines.push(known);
    else {
      const line = text.slice(at, stop).trim();
      isNew = true;
      if (line !== '') lines.push(sharedLine(line));
    }
    at = stop + 1;
  }
  if (last !== undefined && !isNew && lines.length === last.lines.length) return last;
  return { ...asSeen(lines), lines };
}

function asSeen(lines: readonly ReadLine[]): { self: KnownNode; others: readonly KnownNode[] } {
  let self: KnownNode | undefined;
  const others: KnownNode[] = [];
  for (const { node } of lines) {
    if (node.flags.includes('myself')) {
      self = { ...node, flags: node.flags.filter((flag) => flag !== 'myself') };
    } else others.push(node);
  }
  if (self === undefined) {
    throw new UserError('failed', 'The server did not name itself in its reply to CLUSTER NODES.');
  }
  return { self, others };
}

/** Compares slices, which are compared a word at a time; `startsWith` goes by characters and takes four times as long. */
function isSame({ before, after }: ReadLine, text: string, at: number, stop: number): boolean {
  if (text.slice(at, at + before.length) !== before) return false;
  const times = spaceAfter(text, 2, at + before.length);
  return times !== -1 && text.slice(times, stop) === after;
}

/** What several nodes say alike of another is read, and kept in memory, once. By what stands before the times. */
const sharedLines = new Map<string, ReadLine>();
const mostSharedLines = 5000;

/** `<id> <ip:port@busport[,hostname[,aux=value …]]> <flags> <master> <ping> <pong> <epoch> <link> <slot> …` */
function sharedLine(line: string): ReadLine {
  const times = spaceAfter(line, 4);
  const rest = spaceAfter(line, 2, times + 1);
  if (times === -1 || rest === -1) return { before: copyOf(line), after: '', node: parseLine(copyOf(line)) };
  const [before, after] = [line.slice(0, times + 1), line.slice(rest)];
  const known = sharedLines.get(before);
  if (known?.after === after) return known;
  const read = {
    before: copyOf(before),
    after: copyOf(after),
    node: parseLine(copyOf(before.trimEnd() + after)),
  };
  if (sharedLines.size >= mostSharedLines) sharedLines.clear();
  sharedLines.set(read.before, read);
  return read;
}

/** A slice keeps the whole text in memory that it is a part of. */
function copyOf(slice: string): string {
  return Buffer.from(slice).toString();
}

/** Where so many words, from a position on, end; -1 where there are not as many. */
function spaceAfter(text: string, words: number, from = 0): number {
  let at = from - 1;
  for (let word = 0; word < words; word++) {
    at = text.indexOf(' ', at + 1);
    if (at === -1) return -1;
  }
  return at;
}

/** A line without the times of ping and pong. */
function parseLine(line: string): KnownNode {
  const [id = '', address = '', flags = '', master = '-', epoch = '0', link = '', ...slots] = line.split(' ');
  const [endpoint = '', ...extras] = address.split(',');
  // Older servers leave the hostname out, newer ones leave it empty before the auxiliary fields.
  const hostname = extras.find((extra) => extra !== '' && !extra.includes('='));
  const ranges = slots.filter((slot) => !slot.startsWith('['));
  return {
    id,
    ...parseEndpoint(endpoint),
    ...(hostname === undefined ? {} : { hostname }),
    flags: flags.split(',').filter((flag) => flag !== ''),
    ...(master === '-' ? {} : { masterId: master }),
    configEpoch: Number(epoch) || 0,
    linkState: link === 'connected' ? 'connected' : 'disconnected',
    slots: slotSet(ranges.map(parseRange)),
    migrating: openSlots(slots, '->-'),
    importing: openSlots(slots, '-<-'),
  };
}

/** Cuts at the last `@`, then at the last `:`, since IPv6 addresses stand there without brackets. */
function parseEndpoint(text: string): { host: string; port: number; busPort: number } {
  const at = text.lastIndexOf('@');
  const address = at === -1 ? text : text.slice(0, at);
  const colon = address.lastIndexOf(':');
  const port = Number(address.slice(colon + 1)) || 0;
  const busPort = at === -1 ? port + 10_000 : Number(text.slice(at + 1)) || 0;
  return { host: colon === -1 ? '' : address.slice(0, colon), port, busPort };
}

function parseRange(text: string): SlotRange {
  const [start = '0', end = start] = text.split('-');
  return [Number(start), Number(end)];
}

function openSlots(fields: readonly string[], arrow: '->-' | '-<-'): readonly OpenSlot[] {
  return fields.flatMap((field) => {
    const [slot, nodeId] = field.startsWith('[') ? field.slice(1, -1).split(arrow) : [];
    return slot === undefined || nodeId === undefined ? [] : [{ slot: Number(slot), nodeId }];
  });
}
