import { UserError } from '../model/errors.ts';
import { internedNodes, type ClusterNodes, type ReadLine } from '../model/internedNodes.ts';
import type { KnownNode, OpenSlot } from '../model/nodeView.ts';
import { serverName } from '../model/serverText.ts';
import { slotCount, slotSet, type SlotRange } from '../model/slots.ts';

/**
 * Reads CLUSTER NODES. The server that was asked is the line flagged `myself`. Lines that say the same but for the
 * times of ping and pong are read once: they come back as the very same nodes, however many servers say them.
 */
export function parseClusterNodes(text: string): ClusterNodes {
  let self: KnownNode | undefined;
  const others: KnownNode[] = [];
  const times: number[] = [];
  for (let at = 0; at < text.length;) {
    const newline = text.indexOf('\n', at);
    const line = text.slice(at, newline === -1 ? undefined : newline);
    const begin = afterWords(line, 4);
    const end = afterWords(line, 2, begin);
    if (end !== -1) {
      times.push(at + begin, at + end);
      const { node, isSelf } = internedNodes.line(line.slice(0, begin), line.slice(end).trimEnd(), readLine);
      if (isSelf) self = node;
      else others.push(node);
    }
    at += line.length + 1;
  }
  if (self === undefined) {
    throw new UserError('failed', 'The server’s reply to CLUSTER NODES does not contain the server itself.');
  }
  return { self, others, times };
}

/** From a server's port to that of the cluster bus, unless `cluster-port` says otherwise. */
const busOffset = 10_000;

/** Where, from a position on, so many words and the blanks behind them end; -1 where there are not as many. */
function afterWords(text: string, words: number, from = 0): number {
  let at = from;
  for (let word = 0; word < words && at !== -1; word++) at = text.indexOf(' ', at) + 1 || -1;
  return at;
}

/**
 * A line without the times of ping and pong:
 * `<id> <ip:port@busport[,hostname[,aux=value …]]> <flags> <master> <epoch> <link> <slot> …`
 */
function readLine(line: string): ReadLine {
  const [id = '', address = '', flags = '', master = '-', epoch = '0', link = '', ...slots] = line.split(' ');
  const [endpoint = '', ...extras] = address.split(',');
  // Older servers leave the hostname out, newer ones leave it empty before the auxiliary fields.
  const hostname = extras.find((extra) => extra !== '' && !extra.includes('='));
  const ranges = slots.filter((slot) => !slot.startsWith('['));
  const flagged = flags.split(',').filter((flag) => flag !== '');
  const node: KnownNode = {
    id: serverName(id),
    ...parseEndpoint(endpoint),
    ...(hostname === undefined ? {} : { hostname: serverName(hostname) }),
    flags: flagged.filter((flag) => flag !== 'myself').map(flagName),
    ...(master === '-' ? {} : { masterId: serverName(master) }),
    configEpoch: Number(epoch) || 0,
    linkState: link === 'connected' ? 'connected' : 'disconnected',
    slots: slotSet(ranges.flatMap(parseRange)),
    migrating: openSlots(slots, '->-'),
    importing: openSlots(slots, '-<-'),
  };
  return { node, isSelf: flagged.includes('myself') };
}

/**
 * Cuts at the last `@`, then at the last `:`, since IPv6 addresses stand there without brackets. Where a server listens
 * for TLS only, some write 0 as its port: it is then the one that the bus port follows from.
 */
function parseEndpoint(text: string): { host: string; port: number; busPort: number } {
  const at = text.lastIndexOf('@');
  const address = at === -1 ? text : text.slice(0, at);
  const colon = address.lastIndexOf(':');
  const written = Number(address.slice(colon + 1)) || 0;
  const busPort = at === -1 ? written + busOffset : Number(text.slice(at + 1)) || 0;
  const port = written === 0 && busPort > busOffset ? busPort - busOffset : written;
  return { host: colon === -1 ? '' : serverName(address.slice(0, colon)), port, busPort };
}

/** `fail?` is the only flag with another sign than letters. */
function flagName(flag: string): string {
  return flag === 'fail?' ? flag : serverName(flag);
}

/** What is no range of hash slots is left out: a server may send anything, and a range without end would be walked. */
function parseRange(text: string): readonly SlotRange[] {
  const [start = '', end = start] = text.split('-');
  const range = [slotIn(start), slotIn(end)] as const;
  return range[0] <= range[1] ? [range] : [];
}

/** NaN where it is none. */
function slotIn(text: string): number {
  const slot = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  return slot < slotCount ? slot : NaN;
}

function openSlots(fields: readonly string[], arrow: '->-' | '-<-'): readonly OpenSlot[] {
  return fields.flatMap((field) => {
    const [slot, nodeId] = field.startsWith('[') ? field.slice(1, -1).split(arrow) : [];
    const read = slotIn(slot ?? '');
    return nodeId === undefined || Number.isNaN(read) ? [] : [{ slot: read, nodeId: serverName(nodeId) }];
  });
}
