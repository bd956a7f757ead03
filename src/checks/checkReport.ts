import type { Finding, Severity } from '../model/finding.ts';
import { describeRef, formatAddress } from '../model/clusterRef.ts';
import { timeText } from '../model/moves.ts';
import { quantity } from '../model/quantity.ts';
import { mastersOf, nodeName } from '../model/shards.ts';
import type { ClusterSnapshot, RedisNode, RunningWork } from '../model/snapshot.ts';
import { asSentence, isUnread } from '../model/unread.ts';
import { runningSentence } from './workloadWork.ts';
import { coveredText } from './coveredText.ts';
import { redisCliText } from './checkText.ts';
import { verdictText } from './verdict.ts';

const severities: Readonly<Record<Severity, string>> = { error: 'Error', warning: 'Warning', info: 'Note' };

/**
 * A check as a Markdown document that can be pasted into a ticket: the verdict, each finding with where it is, what
 * shows it and what to do, and what `redis-cli --cluster check` would print, folded.
 */
export function checkReport(
  snapshot: ClusterSnapshot,
  findings: readonly Finding[],
  running: readonly RunningWork[] = [],
): string {
  const sections = findings.map((finding, index) => findingSection(snapshot, finding, index + 1));
  return [
    `# Check of ${escaped(snapshot.name)}`,
    `**${escaped(verdictText(snapshot, findings))}**`,
    ...(running.length === 0 ? [] : [escaped(runningSentence(running))]),
    factsText(snapshot),
    ...sections,
    ...redisCliSection(snapshot),
    '',
  ].join('\n\n');
}

function factsText(snapshot: ClusterSnapshot): string {
  const { nodes, ref, takenAt } = snapshot;
  const masters = mastersOf(snapshot).length;
  const shape = `${quantity(masters, 'master')} and ${quantity(nodes.length - masters, 'replica')}`;
  const facts = isUnread(snapshot)
    ? []
    : [`- Nodes: ${quantity(nodes.length, 'node')} (${shape})`, `- ${coveredText(snapshot)}`];
  return [`- Cluster: ${escaped(describeRef(ref))}`, `- Checked: ${timeText(takenAt)}`, ...facts].join('\n');
}

function findingSection(snapshot: ClusterSnapshot, finding: Finding, number: number): string {
  const { severity, message, evidence, remedy } = finding;
  return [
    `## ${number}. ${severities[severity]}: ${escaped(message)}`,
    '',
    `- **Where:** ${whereText(snapshot, finding)}`,
    ...(evidence.length === 0 ? [] : ['- **Evidence:**', ...evidence.map((fact) => `  - ${escaped(fact)}`)]),
    ...(remedy === undefined ? [] : [`- **What to do:** ${escaped(asSentence(remedy))}`]),
  ].join('\n');
}

function whereText({ nodes }: ClusterSnapshot, { nodeIds }: Finding): string {
  if (nodeIds.length === 0) return 'the whole cluster';
  const names = nodeIds.map((id) => {
    const node = nodes.find((candidate) => candidate.id === id);
    return node === undefined ? `node ${id}` : `${nodeName(node)}${addressText(node)}, node ${id}`;
  });
  return escaped(names.join('; '));
}

/** Where a pod's server is reached; a node outside Kubernetes is named by its address. */
function addressText({ pod, host, port }: RedisNode): string {
  return pod === undefined || host === '' ? '' : ` (${formatAddress({ host, port })})`;
}

function redisCliSection(snapshot: ClusterSnapshot): readonly string[] {
  const text = redisCliText(snapshot);
  if (text === undefined) return [];
  return [
    '<details>\n<summary>What redis-cli --cluster check prints</summary>',
    `\`\`\`text\n${text}\n\`\`\``,
    '</details>',
  ];
}

/** Foreign text as Markdown that shows it as it is. */
function escaped(text: string): string {
  return text.replaceAll(/[\\`*<>]/g, (character) => `\\${character}`).replaceAll('\n', ' ');
}
