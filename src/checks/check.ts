import type { Finding, Severity } from '../model/finding.ts';
import type { ClusterSnapshot, RunningWork } from '../model/snapshot.ts';
import { agreement } from './agreement.ts';
import { apart } from './apart.ts';
import { coverage } from './coverage.ts';
import { denied } from './denied.ts';
import { agesOf, explained } from './expectations.ts';
import { membership } from './membership.ts';
import { memoryFull } from './memoryFull.ts';
import { mutual } from './mutual.ts';
import { openSlots } from './openSlots.ts';
import { persistence } from './persistence.ts';
import { reachable } from './reachable.ts';
import { replication } from './replication.ts';
import type { Rule } from './rule.ts';
import { state } from './state.ts';
import { storage } from './storage.ts';
import { unread } from './unread.ts';
import { unreached } from './unreached.ts';

const rules: readonly Rule[] = [
  unread,
  denied,
  apart,
  state,
  reachable,
  unreached,
  coverage,
  openSlots,
  agreement,
  mutual,
  replication,
  membership,
  memoryFull,
  persistence,
  storage,
];
/** What keeps a server from taking writes, though its cluster is as it should be: scaling may even be the remedy. */
const ofOneServer: readonly string[] = ['memory-full', 'persistence'];
const order: readonly Severity[] = ['error', 'warning', 'info'];

/**
 * Everything that is wrong with a cluster, the worst first. @param running work that explains some of it: what is shown
 * to people reads "expected" then. What an operation asks before it begins is not explained away.
 */
export function check(snapshot: ClusterSnapshot, running: readonly RunningWork[] = []): readonly Finding[] {
  const found = rules.flatMap((rule) => rule(snapshot));
  const ages = agesOf(found, snapshot);
  return found
    .map((finding, at) => explained(finding, snapshot, running, ages[at] ?? 0))
    .sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}

/**
 * Whether `redis-cli --cluster check` would be content: coverage, open slots, agreement and every master answering. Never
 * of a cluster of which nothing was read.
 */
export function isSound(findings: readonly Finding[]): boolean {
  return !findings.some(
    ({ rule, severity, expected }) =>
      expected !== true && ((severity === 'error' && !ofOneServer.includes(rule)) || rule === 'open-slots'),
  );
}
