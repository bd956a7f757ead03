import { formatAddress } from '../model/clusterRef.ts';
import { linesIn } from '../model/internedNodes.ts';
import type { KnownNode, NodeView } from '../model/nodeView.ts';
import { slotCount } from '../model/slots.ts';
import type { Impostor } from '../model/snapshot.ts';
import { isAnswering, isIsolated, type Answering, type Source } from './source.ts';

/** A server that was asked because the user named its address, or because a member lists it there. */
export interface AddressedSource extends Source {
  readonly address: string;
  readonly isNamed: boolean;
}

export interface AddressMembers {
  /** The members, and what did not answer; a member that was reached at two addresses stands here once. */
  readonly sources: readonly Source[];
  /** Servers that are no members, at named addresses or standing alone at a member's: they may have been members. */
  readonly apart: readonly Source[];
  readonly impostors: readonly Impostor[];
}

/**
 * Which of the servers that were asked are members of the cluster. The first named address that answers defines the
 * cluster, as long as it is not another than before, nor a server that has lost the others; from there on a server is a member if a member lists its node id.
 * Whatever else answers at a member's address is none: behind a tunnel or a NAT it is often another cluster's server.
 * @param known ids of the nodes that were the cluster when it was read last
 */
export function membersAt(asked: readonly AddressedSource[], known: ReadonlySet<string>): AddressMembers {
  const answering = withoutTwins(asked.filter(isAnswering));
  const members = membersAmong(answering, known);
  const ids = new Set(members.map(idOf));
  const lines = linesIn(members.map(({ reading }) => reading.view));
  const foreign = answering.filter((source) => !ids.has(idOf(source)));
  // Of two hundred nodes that all answer nothing else has to be found out.
  const impostors =
    foreign.length === 0
      ? []
      : impostorsAt(
          lines,
          asked.filter(isAnswering).filter((source) => !ids.has(idOf(source))),
        );
  const silent = asked.filter((source) => !isAnswering(source));
  const found = new Set([...ids, ...impostors.map(({ listedId }) => listedId)]);
  const missed = new Set(
    silent.length === 0 ? [] : [...lines].flatMap((line) => (found.has(line.id) ? [] : placesOf(line))),
  );
  return {
    sources: [
      ...members,
      ...silent.filter(({ isNamed, address }) => isNamed || missed.has(address)),
      ...impostors.filter(({ listedId }) => !ids.has(listedId)).map(strayed),
    ],
    apart: foreign.filter(({ isNamed, reading }) => isNamed || standsAlone(reading.view.others)),
    impostors,
  };
}

/** Where a member can be: at the address that it announces, and at its name where that leads elsewhere. */
export function placesOf(line: KnownNode): readonly string[] {
  if (line.flags.includes('handshake')) return [];
  const { host, hostname = '', port } = line;
  return [...new Set([host, hostname])].flatMap((name) =>
    name === '' || port === 0 ? [] : [formatAddress({ host: name, port })],
  );
}

function idOf({ reading }: Answering): string {
  return reading.view.self.id;
}

function membersAmong(
  answering: readonly Answering<AddressedSource>[],
  known: ReadonlySet<string>,
): readonly Answering<AddressedSource>[] {
  const named = answering.filter(({ isNamed }) => isNamed);
  const first =
    named.find((source) => known.has(idOf(source)) && !isIsolated(source.reading.view)) ??
    answering.find((source) => known.has(idOf(source)) && !isIsolated(source.reading.view)) ??
    named.find(({ reading }) => !isIsolated(reading.view) && !isLeftOver(reading.view)) ??
    named.find(({ reading }) => !isIsolated(reading.view));
  // Servers that are no cluster yet are what the user says they are.
  if (first === undefined) return named;
  const listed = new Set([idOf(first), ...first.reading.view.others.map(({ id }) => id)]);
  if (answering.every((source) => listed.has(idOf(source)))) return answering;
  const members = new Set([first]);
  for (const member of members) {
    for (const { id } of member.reading.view.others) listed.add(id);
    for (const source of answering) {
      if (!members.has(source) && (listed.has(idOf(source)) || names(source, members))) members.add(source);
    }
  }
  return [...members];
}

/** Whether a server that the user named counts a member among the nodes that it knows. */
function names(
  { isNamed, reading }: Answering<AddressedSource>,
  members: ReadonlySet<Answering<AddressedSource>>,
): boolean {
  if (!isNamed) return false;
  const ids = new Set([...members].map(idOf));
  return reading.view.others.some(({ id }) => ids.has(id));
}

function impostorsAt(
  lines: ReadonlySet<KnownNode>,
  foreign: readonly Answering<AddressedSource>[],
): readonly Impostor[] {
  const byAddress = new Map(foreign.map((source) => [source.address, source]));
  const impostors = new Map<string, Impostor>();
  for (const line of lines) {
    const source = placesOf(line).flatMap((place) => byAddress.get(place) ?? [])[0];
    if (source === undefined) continue;
    impostors.set(line.id, { address: source.address, listedId: line.id, answeringId: idOf(source) });
  }
  return [...impostors.values()];
}

/** The member in whose place another node answers. */
function strayed({ address, listedId, answeringId }: Impostor): Source {
  const message = `Node ${answeringId} answers at ${address} instead of ${listedId}.`;
  return {
    address,
    reading: { tried: true, failure: { reason: 'unreachable', message }, lastId: listedId },
  };
}

/** A server that knows nobody and serves some slots, as one that kept its keys and lost its nodes.conf: no cluster. */
function isLeftOver({ others, slotsAssigned }: NodeView): boolean {
  return standsAlone(others) && slotsAssigned < slotCount;
}

function standsAlone(others: readonly KnownNode[]): boolean {
  return others.every(({ flags }) => flags.includes('handshake'));
}

/**
 * A seed and an announced address can be the same server: it counts once, at the address that is its own, since a name
 * may lead to another server next time. Two servers with the same node id stay two.
 */
function withoutTwins(sources: readonly Answering<AddressedSource>[]): readonly Answering<AddressedSource>[] {
  const servers = new Map<string, Answering<AddressedSource>>();
  for (const source of sources) {
    const key = `${idOf(source)} ${source.reading.view.runId ?? ''}`;
    const twin = servers.get(key);
    const isNamed = source.isNamed || twin?.isNamed === true;
    const kept = twin === undefined || (isAtOwnPlace(source) && !isAtOwnPlace(twin)) ? source : twin;
    servers.set(key, kept.isNamed === isNamed ? kept : { ...kept, isNamed });
  }
  return [...servers.values()];
}

function isAtOwnPlace({ address, reading }: Answering<AddressedSource>): boolean {
  return placesOf(reading.view.self).includes(address);
}
