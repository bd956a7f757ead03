import type { Finding } from '../model/finding.ts';

const headlines: Readonly<Record<string, string>> = {
  agreement: 'Nodes disagree',
  apart: 'Cluster split',
  'cluster-state': 'Cluster down',
  'configuration-drift': 'Setting differs',
  coverage: 'Slots not covered',
  denied: 'Command denied',
  'duplicate-id': 'Same node id',
  'ended-pod': 'Pod terminated',
  impostor: 'Wrong server',
  loading: 'Loading data',
  'loose-pod': 'Pod not a member',
  'loose-server': 'Server not joined',
  'memory-full': 'Memory full',
  merged: 'Clusters merged',
  mutual: 'Nodes unconnected',
  'never-saved': 'Never saved',
  'no-majority': 'No majority',
  'no-replica': 'No replica',
  'no-volume': 'No volume',
  'not-formed': 'Not formed yet',
  'open-slots': 'Open slots',
  persistence: 'Disk write failed',
  reachable: 'No answer',
  'replica-link': 'Replica behind',
  'scaled-down': 'Scaled down',
  'stray-keys': 'Stray keys',
  unread: 'Cannot be read',
  unreached: 'Not reached here',
  'unknown-node': 'Unknown node',
};

/** What was found in two or three words, since a narrow row shows no more, and what follows begins with a name. */
export function headlineOf({ rule, severity, headline, message }: Finding): string {
  if (rule === 'memory-full' && severity === 'warning') return 'Memory almost full';
  return headline ?? headlines[rule] ?? message;
}
