import { UserError } from '../../model/errors.ts';
import type { NodeView } from '../../model/nodeView.ts';
import type { SetPod } from './facts.ts';
import { lagOf, type Member } from './members.ts';
import type { Place, UpgradePorts } from './ports.ts';

/** Milliseconds for a manual failover: redis itself gives up after 5 s (CLUSTER_MF_TIMEOUT). */
const failoverLimit = 6_000;
const failoverTries = 3;
const pollEvery = 50;
/** Milliseconds in which the old master tells clients that still come to it where the slots are now. */
const redirectFor = 1_000;

/**
 * Hands the slots of a master that is about to be restarted to a replica, and waits until both servers say so. Does
 * nothing where the node serves no slots. Throws a UserError where nobody can take over and the plan did not say so.
 * @param next the revision that pods are to have, and pods whose slots may go unserved
 */
export async function handOver(
  place: Place,
  leaving: Member,
  members: readonly Member[],
  next: { readonly revision: string; readonly unattended: readonly string[] },
  ports: UpgradePorts,
): Promise<void> {
  const { view, pod } = leaving;
  if (view?.replication.role !== 'master' || view.self.slots.length === 0) return;
  const heir = heirOf(view, members, next.revision);
  if (heir === undefined) {
    if (next.unattended.includes(pod.name)) return;
    throw new UserError('unsafe', `${pod.name} has no replica in step that could take over its slots.`);
  }
  ports.report({ text: `${pod.name}: handing its slots over to ${heir.name}` });
  for (let tries = 1; ; tries++) {
    ports.signal.throwIfAborted();
    const answer = await failover(place, heir.name, ports);
    if (await hasChanged(place, heir, pod, view.self.id, ports)) break;
    if (tries === failoverTries) {
      throw new UserError('failed', `${heir.name} did not take over from ${pod.name}: ${answer}.`);
    }
  }
  await ports.delay(redirectFor, ports.signal);
}

/**
 * Which replica takes over. One that still has to be renewed itself comes first, the lowest ordinal before all, since
 * it is renewed last: a shard's master is new only when no other copy is old, for an old replica that needs a full
 * copy cannot read that of a newer master, and has dropped its own keys by then.
 */
export function heirOf(master: NodeView, members: readonly Member[], revision: string): SetPod | undefined {
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

async function failover(
  { namespace, port }: Place,
  heir: string,
  { withNode }: UpgradePorts,
): Promise<string> {
  try {
    return String(await withNode(namespace, heir, port, (one) => one.call('CLUSTER', 'FAILOVER')));
  } catch (error) {
    if (error instanceof UserError) throw error;
    return error instanceof Error ? error.message : String(error);
  }
}

/** Whether both servers themselves say that the one is a master now, and the other its replica. */
async function hasChanged(
  { namespace, port }: Place,
  heir: SetPod,
  old: SetPod,
  oldId: string,
  { readNode, now, delay, signal }: UpgradePorts,
): Promise<boolean> {
  const end = now() + failoverLimit;
  while (now() < end) {
    signal.throwIfAborted();
    const [after, before] = await Promise.all([
      readNode(namespace, heir.name, port),
      readNode(namespace, old.name, port),
    ]);
    const isMaster = after.replication.role === 'master' && after.self.slots.length > 0;
    const follows = before.replication.role === 'replica' && before.self.masterId === after.self.id;
    if (isMaster && follows && before.self.id === oldId) return true;
    await delay(pollEvery, signal);
  }
  return false;
}
