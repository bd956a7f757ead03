import { messageOf, UserError } from '../../model/errors.ts';
import type { NodeView } from '../../model/nodeView.ts';
import { takeOver } from '../failover/takeOver.ts';
import type { SetPod } from '../statefulSets/facts.ts';
import { lagOf, type Member } from './members.ts';
import type { Place, UpgradePorts } from '../statefulSets/ports.ts';
import { quietLogs } from './quietLogs.ts';

/** Milliseconds in which the old master tells clients that still come to it where the slots are now. */
const redirectFor = 1_000;

/**
 * Hands the slots of a master that is about to be restarted to a replica, and waits until both servers say so. Does
 * nothing where the node serves no slots. Throws a UserError where nobody can take over and the plan did not say so.
 * @param next the revision that pods are to have, and whether its slots may go unserved
 */
export async function handOver(
  place: Place,
  leaving: Member,
  members: readonly Member[],
  next: { readonly revision: string; readonly isUnattended: boolean },
  ports: UpgradePorts,
): Promise<void> {
  const { view, pod } = leaving;
  if (view?.replication.role !== 'master' || view.self.slots.length === 0) return;
  const candidate = candidateOf(view, members, next.revision);
  if (candidate === undefined) {
    if (next.isUnattended) return;
    throw new UserError('unsafe', `${pod.name} has no in-sync replica that could take over its slots.`);
  }
  ports.report({ text: `${pod.name}: failing over to ${candidate.name}` });
  const logAgain = await quietLogs(place, members, ports);
  try {
    await give(place, { from: view.self.id, to: candidate.name }, members, ports);
    ports.signal.throwIfAborted();
    await ports.delay(redirectFor, ports.signal);
  } finally {
    await logAgain();
  }
}

async function give(
  { namespace, port }: Place,
  { from, to }: { readonly from: string; readonly to: string },
  members: readonly Member[],
  ports: UpgradePorts,
): Promise<void> {
  const ids = new Map(members.map((member) => [member.view?.self.id ?? '', member.pod.name]));
  const podOf = (id: string): string => ids.get(id) ?? '';
  const voters = members.filter(
    (one) => one.view?.replication.role === 'master' && one.view.self.slots.length > 0,
  );
  const wanted = {
    candidate: [...ids.keys()].find((id) => podOf(id) === to) ?? '',
    old: from,
    voters: voters.map((voter) => voter.view?.self.id ?? ''),
    how: 'handOver' as const,
  };
  try {
    await takeOver(wanted, {
      ...ports,
      readNode: (id) => ports.readNode(namespace, podOf(id), port),
      withNode: (id, use) => ports.withNode(namespace, podOf(id), port, use, id),
    });
  } catch (error) {
    throw new UserError('failed', `${to} did not take over from ${podOf(from)}: ${messageOf(error)}.`);
  }
}

/**
 * Which replica takes over. One that still has to be renewed itself comes first, the lowest ordinal before all, since
 * it is renewed last: a shard's master is new only when no other copy is old, for an old replica that needs a full
 * copy cannot read that of a newer master, and has dropped its own keys by then.
 */
export function candidateOf(
  master: NodeView,
  members: readonly Member[],
  revision: string,
): SetPod | undefined {
  return members
    .filter(({ pod, view }) => {
      if (view?.replication.role !== 'replica' || view.self.masterId !== master.self.id) return false;
      return view.replication.linkUp === true && pod.ready && !pod.deleting;
    })
    .map(({ pod, view }) => ({
      pod,
      isNew: pod.revision === revision,
      lag: view === undefined ? 0 : lagOf(view, members),
    }))
    .sort((a, b) => Number(a.isNew) - Number(b.isNew) || a.pod.ordinal - b.pod.ordinal)[0]?.pod;
}
