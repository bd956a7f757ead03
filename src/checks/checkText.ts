import { withInfo } from '../model/nodeView.ts';
import { mastersOf, uncoveredSlots } from '../model/shards.ts';
import type { ClusterSnapshot, RedisNode, RunningWork } from '../model/snapshot.ts';
import { isUnread } from '../model/unread.ts';
import { countSlots, formatSlots, slotCount, unionSlots, type SlotSet } from '../model/slots.ts';
import { runningSentence } from './workloadWork.ts';
import { agrees } from './agreement.ts';
import type { Finding } from '../model/finding.ts';

/**
 * What `redis-cli --cluster check` prints for this cluster, line for line, followed by what redis-cli does not check.
 * The first part keeps redis-cli's words, so that people and scripts that know them find them.
 */
export function checkText(
  snapshot: ClusterSnapshot,
  findings: readonly Finding[],
  running: readonly RunningWork[] = [],
): string {
  const cli = redisCliText(snapshot);
  if (cli === undefined) {
    const lines = [...runs(running), ...findingLines(findings)];
    return ['>>> Performing Cluster Check (no node could be read)', ...lines, ''].join('\n');
  }
  return `${[cli, ...runs(running), ...beyond(findings)].join('\n')}\n`;
}

/** What `redis-cli --cluster check` prints; undefined while no node can be read. */
export function redisCliText(snapshot: ClusterSnapshot): string | undefined {
  if (isUnread(snapshot)) return undefined;
  const replicas = replicaCounts(snapshot);
  return [...summary(snapshot, replicas), ...nodes(snapshot, replicas), ...verdicts(snapshot)].join('\n');
}

function summary(snapshot: ClusterSnapshot, replicas: ReplicaCounts): readonly string[] {
  const masters = mastersOf(snapshot);
  const keys = masters.reduce((sum, node) => sum + (node.view?.keys ?? 0), 0);
  const isDenied = masters.some(({ view }) => view !== undefined && withInfo(view) === undefined);
  const silent = masters.filter(({ view }) => withInfo(view) === undefined).length;
  return [
    ...masters.map((node) => {
      const count = replicas.get(node.id) ?? 0;
      const view = withInfo(node.view);
      const unknown = node.view === undefined ? 'does not answer' : 'denies INFO';
      const said = view === undefined ? unknown : `${view.keys} keys`;
      return `${address(node)} (${node.id.slice(0, 8)}...) -> ${said} | ${countSlots(node.slots)} slots | ${count} slaves.`;
    }),
    silent === 0
      ? `[OK] ${keys} keys in ${masters.length} masters.`
      : `[WARNING] At least ${keys} keys in ${masters.length} masters: ${silent} of them did not ${isDenied ? 'report theirs' : 'answer'}.`,
    `${(keys / slotCount).toFixed(2)} keys per slot on average.`,
  ];
}

function nodes(snapshot: ClusterSnapshot, replicas: ReplicaCounts): readonly string[] {
  const first = snapshot.nodes.find((node) => node.view !== undefined);
  const lines = [
    `>>> Performing Cluster Check (using node ${first === undefined ? 'none' : address(first)})`,
  ];
  for (const node of snapshot.nodes) {
    const letter = node.role === 'master' ? 'M' : 'S';
    const role = node.role === 'master' ? 'master' : 'slave';
    const flags = node.health === 'failed' ? `${role},fail` : role;
    lines.push(`${letter}: ${node.id} ${address(node)}`);
    lines.push(`   slots:${bracketed(node.slots)} (${countSlots(node.slots)} slots) ${flags}`);
    if (node.role === 'replica') lines.push(`   replicates ${node.masterId ?? ''}`);
    const count = replicas.get(node.id) ?? 0;
    if (count > 0) lines.push(`   ${count} additional replica(s)`);
  }
  return lines;
}

function verdicts(snapshot: ClusterSnapshot): readonly string[] {
  const open = new Set<number>();
  const answering = snapshot.nodes.filter(({ view }) => view !== undefined).length;
  const who =
    answering === snapshot.nodes.length
      ? 'All nodes'
      : `The ${answering} of ${snapshot.nodes.length} nodes that answered`;
  const lines = [
    agrees(snapshot)
      ? `[OK] ${who} agree about slots configuration.`
      : "[ERR] Nodes don't agree about configuration!",
    '>>> Check for open slots...',
  ];
  for (const node of snapshot.nodes) {
    for (const kind of ['migrating', 'importing'] as const) {
      const slots = (node.view?.self[kind] ?? []).map(({ slot }) => slot);
      if (slots.length === 0) continue;
      for (const slot of slots) open.add(slot);
      lines.push(`[WARNING] Node ${address(node)} has slots in ${kind} state ${slots.join(',')}.`);
    }
  }
  if (open.size > 0)
    lines.push(`[WARNING] The following slots are open: ${[...open].sort((a, b) => a - b).join(',')}.`);
  return [...lines, '>>> Check slots coverage...', coverageLine(snapshot)];
}

function coverageLine(snapshot: ClusterSnapshot): string {
  const uncovered = uncoveredSlots(snapshot);
  if (uncovered.length > 0) {
    return `[ERR] Not all ${slotCount} slots are covered by nodes.\n    Uncovered: ${formatSlots(uncovered)}`;
  }
  const silent = mastersOf(snapshot).filter(({ view }) => view === undefined);
  const unverified = unionSlots(...silent.map(({ slots }) => slots));
  return unverified.length === 0
    ? `[OK] All ${slotCount} slots covered.`
    : `[WARNING] Not verified, since their masters did not answer: ${formatSlots(unverified)}`;
}

function runs(running: readonly RunningWork[]): readonly string[] {
  if (running.length === 0) return [];
  return [`[INFO] ${runningSentence(running)}`];
}

function beyond(findings: readonly Finding[]): readonly string[] {
  const lines = findingLines(findings);
  return [
    '>>> Check nodes, replication and pods...',
    ...(lines.length === 0 ? ['[OK] Nothing found.'] : lines),
  ];
}

function findingLines(findings: readonly Finding[]): readonly string[] {
  return findings.flatMap((finding) => [
    `[${finding.severity === 'error' ? 'ERR' : finding.severity === 'warning' ? 'WARNING' : 'INFO'}] ${finding.message}`,
    ...finding.evidence.map((line) => `    ${line}`),
    ...(finding.remedy === undefined ? [] : [`    What to do: ${finding.remedy}`]),
  ]);
}

/** How many replicas each node has, by its id. */
type ReplicaCounts = ReadonlyMap<string, number>;

function replicaCounts({ nodes }: ClusterSnapshot): ReplicaCounts {
  const counts = new Map<string, number>();
  for (const { masterId } of nodes)
    if (masterId !== undefined) counts.set(masterId, (counts.get(masterId) ?? 0) + 1);
  return counts;
}

function address(node: RedisNode): string {
  return `${node.host}:${node.port}`;
}

/** redis-cli writes slots as `[0-99],[200]`, and nothing where there are none but a blank. */
function bracketed(slots: SlotSet): string {
  if (slots.length === 0) return '';
  return slots.map((range) => `[${formatSlots([range])}]`).join(',');
}
