import type { Finding } from '../model/finding.ts';
import { isRunning, isUnread } from '../model/unread.ts';
import type { Rule } from './rule.ts';

/** Pods that are in no cluster, and nodes that the cluster lists and nobody runs. */
export const membership: Rule = (snapshot) => {
  if (isUnread(snapshot)) return [];
  const silent = new Set(snapshot.unread.flatMap(({ pod }) => pod?.uid ?? []));
  // Whether a server that runs and was not read has joined is not known; `unread` says why.
  const known = snapshot.loosePods.filter((pod) => !(silent.has(pod.uid) && isRunning(pod)));
  const loose = known.map((pod): Finding => {
    const why = pod.reason ?? (pod.phase === 'Running' ? 'has not joined the cluster' : pod.phase);
    return {
      rule: 'loose-pod',
      severity: pod.reason === undefined ? 'info' : 'warning',
      message: `Pod ${pod.name} is not part of the cluster: ${why}.`,
      evidence: pod.reasonMessage === undefined ? [`Phase ${pod.phase}`] : [pod.reasonMessage],
      remedy: `Look at the logs and events of pod ${pod.name}.`,
      nodeIds: [],
    };
  });
  const strangers = snapshot.strangers.map((line): Finding => ({
    rule: 'stranger',
    severity: 'warning',
    message: `The cluster lists node ${line.id.slice(0, 8)} (${line.host || 'no address'}), which nobody runs.`,
    evidence: [`${line.id} ${line.host}:${line.port} ${line.flags.join(',')}`],
    remedy: '“Forget Node…” takes a node that is gone for good out of the cluster, on all others at once.',
    nodeIds: [],
  }));
  return [...loose, ...strangers];
};
