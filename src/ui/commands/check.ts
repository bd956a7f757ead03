import * as vscode from 'vscode';
import { check as findProblems, isSound } from '../../checks/check.ts';
import { checkReport } from '../../checks/checkReport.ts';
import { checkText } from '../../checks/checkText.ts';
import { runningSentence } from '../../checks/workloadWork.ts';
import { verdictText } from '../../checks/verdict.ts';
import { isKubernetesRef } from '../../model/clusterRef.ts';
import type { Finding } from '../../model/finding.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { ClusterSnapshot, RunningWork } from '../../model/snapshot.ts';
import { isUnformed } from '../../model/unformed.ts';
import { isUnread } from '../../model/unread.ts';
import { agreed } from '../../operations/servers/agreed.ts';
import { findStrays } from '../../operations/repair/strays.ts';
import { findDrift } from '../../operations/settings/drift.ts';
import type { Parts } from '../parts.ts';
import { clusterOf } from '../questions/target.ts';
import { visibleWork } from '../tree/operationRow.ts';

interface Checked {
  /** Whether the cluster is healthy but for what the work that runs on it explains. */
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  /** What `redis-cli --cluster check` prints, and the findings below it. */
  readonly text: string;
  /** What changes the cluster while it is checked. */
  readonly running: readonly RunningWork[];
}

/** Checks a cluster by asking every node now, and shows the report as a Markdown document. */
export async function check(parts: Parts, argument: unknown): Promise<Outcome & Checked> {
  const ref = await clusterOf(parts, argument);
  const snapshot = await agreed(() => parts.inventory.look(ref));
  const work = parts.operations.workOn(snapshot);
  const running = visibleWork(work);
  const asked = [...(await strays(parts, snapshot, work)), ...(await drift(parts, snapshot))];
  const findings = [...findProblems(snapshot, work), ...asked];
  const text = checkText(snapshot, findings, running);
  const ok = isSound(findings);
  const title = parts.inventory.titleOf(ref);
  const report = checkReport({ ...snapshot, name: title }, findings, running);
  await parts.documents.show(`Check – ${title}`, report, 'md');
  const message = [
    verdictText(snapshot, findings),
    ...(running.length === 0 ? [] : [runningSentence(running)]),
  ].join(' ');
  vscode.window.setStatusBarMessage(message, 5_000);
  return { outcome: 'done', message, ok, findings, text, running };
}

/** Keys where clients do not reach them; asked only here. While slots move, keys are in two places. */
async function strays(
  parts: Parts,
  snapshot: ClusterSnapshot,
  work: readonly RunningWork[],
): Promise<readonly Finding[]> {
  if (isUnread(snapshot) || isUnformed(snapshot) || snapshot.duplicateIds !== undefined) return [];
  if (work.some(({ operation }) => operation !== 'podsStarting' && operation !== 'rollout')) return [];
  const { ref } = snapshot;
  return findStrays(() => parts.inventory.look(ref), await parts.inventory.dialer(ref));
}

/** Differences between the ConfigMap and the servers; read only here, since they are no part of a snapshot. */
async function drift(parts: Parts, snapshot: ClusterSnapshot): Promise<readonly Finding[]> {
  const { ref } = snapshot;
  if (!isKubernetesRef(ref) || isUnread(snapshot)) return [];
  const access = await parts.inventory.access(ref.context);
  return findDrift(snapshot, access, await parts.inventory.dialer(ref));
}
