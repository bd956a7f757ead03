import type { Finding } from '../model/finding.ts';
import { internedNodes, linesIn } from '../model/internedNodes.ts';
import type { KnownNode, NodeView } from '../model/nodeView.ts';
import { quantity } from '../model/quantity.ts';
import { nodeName } from '../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../model/snapshot.ts';
import { shortList } from '../model/unread.ts';
import { isUnformed } from '../model/unformed.ts';
import type { Rule } from './rule.ts';

/** What is not as it should be in one member's line about another that answers. */
type Kind = 'missing' | 'no-address' | 'no-link' | 'called-failed' | 'role';

/** One member that has a wrong idea of another; both answer. */
interface Misconception {
  /** Node ids: who says it, and of whom. */
  readonly viewer: string;
  readonly subject: string;
  readonly kind: Kind;
}

/** Milliseconds in which gossip puts it right by itself: new nodes and roles spread, a link is made again. */
const settlesWithin: Readonly<Record<Kind, number>> = {
  missing: 5_000,
  'no-address': 10_000,
  'no-link': 10_000,
  'called-failed': 10_000,
  role: 10_000,
};
/** Milliseconds after which a node that has lost all others, as they have it, is known to be cut off: a link takes one. */
const alone = 3_000;
const healable: ReadonlySet<Kind> = new Set(['missing', 'no-address', 'no-link']);

/**
 * Whether every member that answers is listed by every other, reachable for it and in the right role. Masters that do
 * not know a replica elect none in its shard, though each slot is served. What gossip may still put right is no finding.
 */
export const mutual: Rule = (snapshot) => {
  if (isUnformed(snapshot)) return [];
  const lasting = withTimes(snapshot)
    .filter(({ age, limit }) => age >= limit)
    .map(({ misconception }) => misconception);
  return lasting.length === 0 ? [] : [findingOf(snapshot, lasting)];
};

/** Whether members have a wrong idea of each other that may pass by itself: another reading will tell. */
export function isSettling(snapshot: ClusterSnapshot): boolean {
  return withTimes(snapshot).some(({ age, limit }) => age < limit);
}

function findingOf(snapshot: ClusterSnapshot, wrong: readonly Misconception[]): Finding {
  const names = new Map(snapshot.nodes.map((node) => [node.id, nodeName(node)]));
  const nameOf = (id: string): string => names.get(id) ?? id.slice(0, 8);
  const subjects = [...new Set(wrong.map(({ subject }) => subject))];
  const list = shortList(subjects.map(nameOf));
  const viewers = [...new Set(wrong.map(({ viewer }) => viewer))];
  const isRoleOnly = wrong.every(({ kind }) => kind === 'role');
  const what = isRoleOnly ? 'listed in the wrong role' : 'not known to all other nodes';
  const subject = subjects.length === 1 ? `${list} is` : `${quantity(subjects.length, 'node')} are`;
  const isOfOne = viewers.length === 1 && subjects.length > 1 && !isRoleOnly;
  const rest = subjects.length === 1 ? '' : `: ${list}`;
  return {
    rule: 'mutual',
    severity: isAnyUnknownToMost(snapshot, wrong) ? 'error' : 'warning',
    message: isOfOne
      ? `${viewers.map(nameOf).join()} does not know ${quantity(subjects.length, 'other node')}: ${list}.`
      : `${subject} ${what}${rest}.`,
    evidence: evidenceOf(wrong, nameOf, snapshot),
    remedy: wrong.some(({ kind }) => healable.has(kind))
      ? 'Masters do not elect a replica that they do not know. “Heal Cluster…” introduces the nodes to each other again. If this happens again, look for an operator or script that sends CLUSTER FORGET.'
      : 'Wait: connected nodes tell each other their roles. If this persists, check that their bus ports can reach each other.',
    nodeIds: isOfOne ? [...viewers, ...subjects] : subjects,
  };
}

const texts: Readonly<Record<Exclude<Kind, 'role'>, string>> = {
  missing: 'does not list',
  'no-address': 'has no address of',
  'no-link': 'has no link to',
  'called-failed': 'marks as failed',
};
const mostEvidence = 12;

function evidenceOf(
  wrong: readonly Misconception[],
  nameOf: (id: string) => string,
  { nodes }: ClusterSnapshot,
): readonly string[] {
  const roles = new Map(nodes.map((node) => [node.id, roleText(node, nameOf)]));
  const lines = [...Map.groupBy(wrong, ({ viewer, kind }) => `${viewer} ${kind}`).values()].flatMap(
    (group) => {
      const [first] = group;
      if (first === undefined) return [];
      const viewer = nameOf(first.viewer);
      const { kind } = first;
      if (kind !== 'role')
        return [`${viewer} ${texts[kind]} ${shortList(group.map(({ subject }) => nameOf(subject)))}`];
      return group.map(
        ({ subject }) =>
          `${viewer} lists ${nameOf(subject)} in another role: it is ${roles.get(subject) ?? ''}`,
      );
    },
  );
  if (lines.length <= mostEvidence) return lines;
  return [...lines.slice(0, mostEvidence), `… and ${lines.length - mostEvidence} more`];
}

function roleText({ role, masterId }: RedisNode, nameOf: (id: string) => string): string {
  return role === 'master' ? 'a master' : `a replica of ${nameOf(masterId ?? '')}`;
}

/** Then it cannot be elected, or its vote does not count. */
function isAnyUnknownToMost({ nodes }: ClusterSnapshot, wrong: readonly Misconception[]): boolean {
  const voters = nodes.filter(
    (node) => node.role === 'master' && node.slots.length > 0 && node.view !== undefined,
  );
  const votes = new Set(voters.map(({ id }) => id));
  const blind = new Map<string, Set<string>>();
  for (const { viewer, subject, kind } of wrong) {
    if (kind === 'role' || !votes.has(viewer)) continue;
    const viewers = blind.get(subject) ?? new Set();
    blind.set(subject, viewers.add(viewer));
  }
  return [...blind].some(
    ([subject, viewers]) => viewers.size * 2 > votes.size - (votes.has(subject) ? 1 : 0),
  );
}

function withTimes(
  snapshot: ClusterSnapshot,
): readonly { readonly misconception: Misconception; readonly age: number; readonly limit: number }[] {
  const found = misconceptionsIn(snapshot);
  const ages = snapshot.history?.ages('mutual', found, textOf, snapshot.takenAt) ?? [];
  const lost = isolatedIn(found, snapshot);
  return found.map((misconception, at) => {
    const { viewer, subject, kind } = misconception;
    const isAlone = healable.has(kind) && (lost.has(viewer) || lost.has(subject));
    return { misconception, age: ages[at] ?? 0, limit: isAlone ? alone : settlesWithin[kind] };
  });
}

/** Nodes that reach none of the others and that none of them reaches, as after all came back with new addresses. */
function isolatedIn(found: readonly Misconception[], { nodes }: ClusterSnapshot): ReadonlySet<string> {
  const others = nodes.filter(({ view }) => view !== undefined).length - 1;
  const apart = found.filter(({ kind }) => healable.has(kind));
  const full = (ids: readonly string[]): readonly string[] =>
    [...Map.groupBy(ids, (id) => id)].filter(([, all]) => all.length === others).map(([id]) => id);
  const blind = new Set(full(apart.map(({ viewer }) => viewer)));
  return new Set(full(apart.map(({ subject }) => subject)).filter((id) => blind.has(id)));
}

function textOf({ viewer, subject, kind }: Misconception): string {
  return `${viewer} ${subject} ${kind}`;
}

function misconceptionsIn({ nodes }: ClusterSnapshot): readonly Misconception[] {
  return misconceptionsOf(
    ...nodes.flatMap(({ view }) => (view === undefined ? [] : reported(view.self, view.others))),
  );
}

type Reported = Pick<NodeView, 'self' | 'others'>;

/** What a node reports, without what differs from one second to the next. */
const reported = internedNodes.concluding((self: KnownNode, others: NodeView['others']): Reported => ({
  self,
  others,
}));

const misconceptionsOf = internedNodes.concluding(
  (...views: readonly Reported[]): readonly Misconception[] => {
    const selves = new Map(views.map(({ self }) => [self.id, self]));
    // Of 200 nodes that is 40,000 lines, of which all but a few hundred are the same: each is judged once.
    const wrong = new Map<KnownNode, Kind>();
    let hasUnread = false;
    for (const line of linesIn(views)) {
      const self = selves.get(line.id);
      if (self === undefined) hasUnread = true;
      const kind = self === undefined ? undefined : wrongIn(line, self);
      if (kind !== undefined) wrong.set(line, kind);
    }
    return views.flatMap((view) => [
      ...(wrong.size === 0 ? [] : wrongLines(view, wrong)),
      ...(!hasUnread && view.others.length === selves.size - 1 ? [] : missingIn(view, selves)),
    ]);
  },
);

function wrongLines(
  { self, others }: Reported,
  wrong: ReadonlyMap<KnownNode, Kind>,
): readonly Misconception[] {
  return others.flatMap((line) => {
    const kind = wrong.get(line);
    return kind === undefined ? [] : [{ viewer: self.id, subject: line.id, kind }];
  });
}

function missingIn(
  { self, others }: Reported,
  members: ReadonlyMap<string, unknown>,
): readonly Misconception[] {
  const listed = new Set(others.map(({ id }) => id));
  return [...members.keys()]
    .filter((id) => id !== self.id && !listed.has(id))
    .map((subject) => ({ viewer: self.id, subject, kind: 'missing' }));
}

function wrongIn(line: KnownNode, self: KnownNode): Kind | undefined {
  if (line.host === '' || line.flags.includes('noaddr') || line.flags.includes('handshake'))
    return 'no-address';
  if (line.linkState === 'disconnected') return 'no-link';
  if (line.flags.includes('fail')) return 'called-failed';
  return line.masterId === self.masterId ? undefined : 'role';
}
