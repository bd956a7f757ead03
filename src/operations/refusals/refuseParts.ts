import { describeRef } from '../../model/clusterRef.ts';
import { isApart, partsWithData } from '../../model/parts.ts';
import { quantity } from '../../model/quantity.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterPart, ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { answers, refusal } from '../servers/nodes.ts';

/**
 * Throws a UserError `unsafe` where the cluster has fallen apart and another part holds keys or slots, until a person
 * has chosen the part to change (see `choosePart`): what looks lost from one part may be in another. For every plan
 * that moves or assigns slots, or forgets, resets, restarts, empties or deletes servers.
 */
export function refuseApart(snapshot: ClusterSnapshot): void {
  if (!isApart(snapshot)) return;
  const others = partsWithData(snapshot);
  const first = snapshot.nodes.find(answers);
  const choice =
    first === undefined ? '' : ` or, to change only the first part, pass part: "${nodeName(first)}"`;
  if (others.every(({ why }) => why === 'own-cluster')) {
    throw refusal(
      'unsafe',
      `${describeRef(snapshot.ref)} are addresses of ${quantity(others.length + 1, 'cluster')}: ${partsText(snapshot)}. Remove those of the other cluster first${choice}.`,
    );
  }
  throw refusal(
    'unsafe',
    `${describeRef(snapshot.ref)} is split into ${quantity(others.length + 1, 'part')} that do not know each other: ${partsText(snapshot)}. Changing one part can lose the keys of another. Reconnect the parts first${choice}.`,
  );
}

/**
 * The snapshot with the choice of a person noted in it. `part` is the name or id of a node of the part that the
 * snapshot's `nodes` are. Throws a UserError where that is another part's node, or nobody's.
 */
export function choosePart(snapshot: ClusterSnapshot, part: string): ClusterSnapshot {
  const isMeant = (node: RedisNode): boolean => node.id === part || nodeName(node) === part;
  if (snapshot.nodes.some(isMeant)) return { ...snapshot, isPartChosen: true };
  const isOther = snapshot.otherParts.some(({ nodes }) => nodes.some(isMeant));
  throw refusal(
    isOther ? 'unsafe' : 'not-found',
    isOther
      ? `${part} is in a part of ${describeRef(snapshot.ref)} that commands do not change. They only change ${namesOf(snapshot.nodes)}.`
      : `${describeRef(snapshot.ref)} has no node ${part}. Its parts: ${partsText(snapshot)}.`,
  );
}

/** All parts, the one that commands change first: who is in them, how many keys they hold, why they stand apart. */
export function partsText({ nodes, otherParts }: ClusterSnapshot): string {
  const keys = nodes.reduce((sum, { role, view }) => sum + (role === 'master' ? (view?.keys ?? 0) : 0), 0);
  return [
    `${namesOf(nodes)} (${quantity(keys, 'key')})`,
    ...otherParts.map(
      (part) => `${namesOf(part.nodes)} (${quantity(part.keys, 'key')}, ${reasons[part.why]})`,
    ),
  ].join('; ');
}

const reasons: Readonly<Record<ClusterPart['why'], string>> = {
  'lost-identity': 'came back under another id',
  'lost-volume': 'came back empty',
  'never-joined': 'never joined',
  'own-cluster': 'in a separate cluster',
};

function namesOf(nodes: readonly RedisNode[]): string {
  const [first, ...others] = nodes.map(nodeName);
  if (others.length > 3) return `${first ?? ''} and ${quantity(others.length, 'other node')}`;
  return [first ?? '', ...others].join(', ');
}
