import { formatAddress } from '../model/clusterRef.ts';
import type { KnownNode, NodeView } from '../model/nodeView.ts';
import type { PodFacts } from '../model/snapshot.ts';
import type { Reading } from './nodeReader.ts';

/** One server we asked, with what Kubernetes says of its pod. */
export interface Source {
  readonly reading: Reading;
  readonly pod?: PodFacts;
  /** `host:port` where it is not in Kubernetes. */
  readonly address?: string;
  /** Where it was dialled, if not at its address. */
  readonly dialled?: string;
}

/** A source whose server answered. */
export type Answering<S extends Source = Source> = S & { readonly reading: { readonly view: NodeView } };

export function isAnswering<S extends Source>(source: S): source is Answering<S> {
  return source.reading.view !== undefined;
}

/** A server that knows nobody and serves nothing: not in a cluster yet, or thrown out of one. */
export function isIsolated(view: NodeView): boolean {
  return view.self.slots.length === 0 && !view.others.some((node) => !node.flags.includes('handshake'));
}

/**
 * The source that a member's line is about. The node id that a server had when it last answered says more than its name,
 * its name more than its address; an address is one with its port, since servers on one host share the host.
 */
export function sourceOf<S extends Source>(line: KnownNode, sources: readonly S[]): S | undefined {
  return (
    sources.find(({ reading }) => reading.lastId === line.id) ??
    sources.find((source) => isUnknown(source) && isNamed(source, line)) ??
    sources.find((source) => isUnknown(source) && isAt(source, line))
  );
}

/** Whether nothing but its place says which node a server is. */
function isUnknown({ reading }: Source): boolean {
  return reading.lastId === undefined && reading.view === undefined;
}

/** Whether a line's host name is that of a pod. */
export function isNamed({ pod }: Source, { hostname }: KnownNode): boolean {
  return pod !== undefined && hostname?.split('.')[0] === pod.name;
}

/** Whether a line's address and port are those of a source. */
export function isAt({ pod, address }: Source, line: KnownNode): boolean {
  if (line.host === '') return false;
  if (address !== undefined) return address === formatAddress(line);
  return pod?.ip === line.host && pod.port === line.port;
}
