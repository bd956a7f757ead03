import { formatAddress } from '../model/clusterRef.ts';
import { linesIn } from '../model/internedNodes.ts';
import type { KnownNode } from '../model/nodeView.ts';
import type { DuplicateId, Impostor } from '../model/snapshot.ts';
import { isAt, type Answering } from './source.ts';

export interface Distinct {
  /** One server for each node id. */
  readonly servers: readonly Answering[];
  readonly duplicateIds: readonly DuplicateId[];
}

/**
 * One server for each node id, and the ids with which several servers run: the one that others are connected to is the
 * member, as far as they are. A server that was reached at two addresses is one server.
 */
export function distinctServers(answering: readonly Answering[]): Distinct {
  const byId = Map.groupBy(answering, ({ reading }) => reading.view.self.id);
  if (byId.size === answering.length) return { servers: answering, duplicateIds: [] };
  const lines = linesIn(answering.map(({ reading }) => reading.view));
  const duplicateIds: DuplicateId[] = [];
  const kept = new Set<Answering>();
  for (const [id, all] of byId) {
    const servers = [...new Map(all.toReversed().map((source) => [serverKey(source), source])).values()];
    const linked = servers.find((source) => isLinked(source, id, lines)) ?? servers.at(-1);
    if (linked !== undefined) kept.add(linked);
    if (servers.length > 1) duplicateIds.push({ id, servers: servers.map(placeOf).sort() });
  }
  return { servers: answering.filter((source) => kept.has(source)), duplicateIds };
}

/**
 * Members at whose announced address another member answers, although their peers are in touch with them: clients and
 * replicas are led to the wrong server. Where several servers share an address nothing is concluded from it.
 */
export function confusedAddresses(members: readonly Answering[]): readonly Impostor[] {
  const byPlace = Map.groupBy(members, addressOf);
  const lines = linesIn(members.map(({ reading }) => reading.view));
  const found = new Map<string, Impostor>();
  for (const line of lines) {
    if (!isInTouch(line)) continue;
    const address = formatAddress(line);
    const [there, ...more] = byPlace.get(address) ?? [];
    if (there === undefined || more.length > 0 || there.reading.view.self.id === line.id) continue;
    found.set(line.id, { address, listedId: line.id, answeringId: there.reading.view.self.id });
  }
  return [...found.values()];
}

function serverKey({ reading, pod }: Answering): string {
  return reading.view.runId ?? pod?.uid ?? '';
}

function placeOf({ pod, address }: Answering): string {
  return pod?.name ?? address ?? '';
}

function addressOf({ pod, address }: Answering): string {
  if (address !== undefined) return address;
  return pod?.ip === undefined ? '' : formatAddress({ host: pod.ip, port: pod.port });
}

function isLinked(source: Answering, id: string, lines: ReadonlySet<KnownNode>): boolean {
  return [...lines].some((line) => line.id === id && isInTouch(line) && isAt(source, line));
}

function isInTouch({ host, flags, linkState }: KnownNode): boolean {
  const isDoubtful = flags.some((flag) => ['fail', 'noaddr', 'handshake'].includes(flag));
  return host !== '' && linkState === 'connected' && !isDoubtful;
}
